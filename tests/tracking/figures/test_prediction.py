"""Predicted harm: what is drawn is what was passed."""

import pytest

from qat.tracking.figures.prediction import front_figure, prediction_figure


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
        lambda: prediction_figure([], []),
        lambda: prediction_figure([1.0], []),
        lambda: front_figure([], []),
        lambda: front_figure([1.0], []),
    ],
)
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(ValueError, match="of one length and not empty"):
        draw()
