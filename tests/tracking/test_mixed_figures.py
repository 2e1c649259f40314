"""Figures of mixed precision: what is drawn is what was given."""

import pytest

from qat.tracking.figures.prediction import front_figure, prediction_figure
from qat.tracking.figures.settings import SettingRow, settings_figure


def test_strategies_are_points_sorted_within_their_budget():
    rows = [
        SettingRow("b", 0.88, 0.001, "4 bits", 4096),
        SettingRow("a", 0.90, None, "4 bits", 2048),
        SettingRow("c", 0.89, None, "3 bits", 1024),
        SettingRow("far", 0.11, None, "3 bits", 1024),
    ]
    (axes,) = settings_figure(rows, 0.91, "a net").axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c", "far"]
    assert [c[0].get_xdata()[0] for c in axes.containers] == pytest.approx([90, 88, 89])
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["4 bits", "2 KiB", "4 KiB", "3 bits", "1 KiB", "11.0", "1 KiB"]
    low, high = axes.get_xlim()
    assert 80 < low < 88
    assert 91 < high < 92


def test_prediction_draws_plans_and_the_chosen_one():
    [axes] = prediction_figure([0.1, 0.2], [0.9, 0.8], (0.05, 0.92), "nats").axes
    plans, chosen = axes.collections
    assert plans.get_offsets().tolist() == [[0.1, 90.0], [0.2, 80.0]]
    assert chosen.get_offsets().tolist() == [[0.05, 92.0]]
    assert axes.get_xlabel() == "predicted harm [nats]"
    assert axes.get_xscale() == "log"


def test_harms_of_zero_are_not_on_a_logarithmic_axis():
    [axes] = prediction_figure([0.0, 0.2], [0.9, 0.8]).axes
    assert axes.get_xscale() == "linear"


def test_a_front_goes_down_with_memory():
    [axes] = front_figure([1024, 2048], [0.5, 0.1], "nats").axes
    assert list(axes.lines[0].get_xdata()) == [1.0, 2.0]
    assert list(axes.lines[0].get_ydata()) == [0.5, 0.1]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: settings_figure([]),
        lambda: prediction_figure([], []),
        lambda: prediction_figure([1.0], []),
        lambda: front_figure([], []),
    ],
)
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(ValueError, match=r"to draw|not empty"):
        draw()
