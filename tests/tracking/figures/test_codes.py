"""Bars of codes: one for each code of the grid, the values before behind them."""

import numpy as np
import pytest

from qat.analysis.codes import CodeCounts
from qat.tracking.figures import codes as module
from qat.tracking.figures.codes import codes_figure


def counts(values, first=-2):
    edges = np.linspace(-3, 3, 7)
    return CodeCounts(first, 1, np.array(values), edges, np.array([0, 1, 2, 3, 1, 0]))


def test_a_bar_for_each_code_also_for_one_that_is_not_used():
    figure = codes_figure("conv1", {"weights": counts([3, 0, 4, 1])})
    (axes,) = figure.axes
    behind, bars = (patch.get_data() for patch in axes.patches)
    assert bars.values[::2].tolist() == [3, 0, 4, 1]
    assert bars.values[1::2].tolist() == [0, 0, 0]  # the gaps
    middles = (bars.edges[::2] + bars.edges[1::2]) / 2
    assert middles == pytest.approx([-2, -1, 0, 1])
    assert behind.values.tolist() == [0, 1, 2, 3, 1, 0]  # a bin is a code wide: as counted
    assert axes.get_xlabel() == "code (3 of 4 codes used)"


def test_weights_and_inputs_stand_side_by_side():
    figure = codes_figure("conv1", {"weights": counts([1, 1]), "inputs": counts([1, 2])})
    assert [axes.get_title() for axes in figure.axes] == ["conv1: weights", "conv1: inputs"]


def test_no_tensor_is_told():
    with pytest.raises(ValueError, match="no tensor to draw"):
        codes_figure("conv1", {})


@pytest.mark.parametrize("most", [2, 50, 30_000])  # up to ten values, matplotlib labels minor ticks
def test_leaving_out_empty_labels_changes_no_pixel(monkeypatch, most):
    tensors = {"weights": counts([1, 0, most, 1])}
    fast = codes_figure("conv1", tensors)
    monkeypatch.setattr(module, "_leave_out_empty_labels", lambda axes: None)
    plain = codes_figure("conv1", tensors)
    drawn = []
    for figure in (fast, plain):
        figure.canvas.draw()
        drawn.append(np.asarray(figure.canvas.buffer_rgba()))
    assert np.array_equal(*drawn)
