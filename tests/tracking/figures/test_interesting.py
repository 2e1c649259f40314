"""Which accuracies an axis shows."""

import pytest

from qat.tracking.figures.interesting import axis_range, show_accuracies
from qat.tracking.figures.style import new_figure


def test_points_that_lie_together_are_all_shown():
    low, high = axis_range([(90, None), (85, None), (80, None)])
    assert (low, high) == pytest.approx((80 - 0.8, 90 + 0.8))  # 0.08 of the span on each side
    assert axis_range([(90, None)], float_top1=0.95)[1] > 95


def test_a_point_far_below_is_left_out():
    low, high = axis_range([(value, 0.1) for value in (90, 89, 88, 87, 10)])
    assert 80 < low < 87
    assert 90 < high < 92


def test_error_bars_are_shown_whole_but_for_a_point_that_is_left_out():
    low, high = axis_range([(90, 3.0), (89, None), (88, None), (87, 2.5), (10, 5.0)])
    assert 84 < low < 84.5
    assert 93 < high < 93.5


def test_a_point_below_the_axis_stands_at_its_edge_with_its_value():
    _, axes = new_figure()
    points = [(1, 90.0), (2, 89.0), (3, 88.0), (4, 87.0), (4, 10.25), (4, 12.0)]
    axes.plot(*zip(*points, strict=True), linestyle="none")
    show_accuracies(axes, [(place, (value, None)) for place, value in points])
    low = axes.get_ylim()[0]
    edge = [line for line in axes.lines if line.get_marker() == "v"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in edge] == [(4, low)] * 2
    assert [text.get_text() for text in axes.texts] == ["10.2", "12.0"]
    heights = [text.xyann[1] for text in axes.texts]
    assert heights[0] < heights[1]  # one above the other
