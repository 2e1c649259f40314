"""Histograms: every value is counted, the grid is drawn, what was clipped is said."""

import numpy as np
import pytest

from qat.tracking.figures.histograms import error_figure, histogram_figure


def counts(figure):
    quantized, first = figure.axes[0].containers
    return [int(sum(bar.get_height() for bar in group)) for group in (quantized, first)]


def test_every_weight_is_counted_and_the_grid_drawn():
    before = np.linspace(-1, 1, 1000)
    after = np.round(before * 3) / 3
    figure = histogram_figure("conv1", before, after)
    assert counts(figure) == [1000, 1000]
    grid = sorted(line.get_xdata()[0] for line in figure.axes[0].lines)
    assert grid == pytest.approx([-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1])
    assert figure.axes[0].get_title() == "conv1: 7 values"


def test_given_levels_are_drawn_and_too_many_are_not():
    x = np.random.default_rng(0).normal(size=500)
    assert len(histogram_figure("a", x, x, levels=np.arange(16)).axes[0].lines) == 16
    assert len(histogram_figure("a", x, x).axes[0].lines) == 0


def test_a_constant_weight_has_a_bin():
    assert counts(histogram_figure("a", np.ones(9), np.ones(9))) == [9, 9]


@pytest.mark.parametrize("after", [np.zeros(2), np.zeros(0)])
def test_unlike_or_empty_weights_are_told(after):
    with pytest.raises(ValueError, match="conv1: values must be of one shape"):
        histogram_figure("conv1", np.zeros(after.size and 3), after)


def test_errors_are_in_steps_and_the_clipped_are_said():
    before = np.array([0.1, 0.2, 0.4, 3.0])
    after = np.array([0.0, 0.25, 0.5, 1.0])  # step 0.25: -0.4, 0.2, 0.4 and -8 steps
    figure = error_figure("conv1", before, after, step=0.25)
    (bars,) = figure.axes[0].containers
    centres = [bar.get_x() + bar.get_width() / 2 for bar in bars if bar.get_height()]
    assert min(centres) == pytest.approx(-8, abs=0.1)
    assert sum(bar.get_height() for bar in bars) == 4
    assert figure.axes[0].get_title() == "conv1: 25.00 % beyond half a step"
    with pytest.raises(ValueError, match="step must be above 0"):
        error_figure("conv1", before, after, step=0)
