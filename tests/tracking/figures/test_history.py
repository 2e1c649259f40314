"""Courses over a training: a line for each tensor."""

import pytest

from qat.tracking.figures.history import history_figure


def test_few_courses_are_named_and_many_coloured_by_depth():
    few = history_figure({"a.weight": [(0, 0.5), (10, 0.4)]}, "scale")
    assert few.axes[0].lines[0].get_xydata().tolist() == [[0, 0.5], [10, 0.4]]
    assert few.axes[0].get_yscale() == "log"
    many = history_figure({f"l{i}.act": [(0, i + 1.0)] for i in range(20)}, "clipping")
    assert len(many.axes) == 2
    assert [tick.get_text() for tick in many.axes[1].get_yticklabels()] == ["l0", "l19"]
    with pytest.raises(ValueError, match="metric must be one of scale"):
        history_figure({}, "speed")
    with pytest.raises(ValueError, match=r"tracking\.history_every"):
        history_figure({"a": []}, "flips")
