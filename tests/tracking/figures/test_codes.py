"""Bars of codes: one for each code of the grid, the values before behind them."""

import numpy as np
import pytest

from qat.analysis.codes import CodeCounts
from qat.tracking.figures.codes import codes_figure, codes_pictures
from qat.tracking.figures.png import png


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


@pytest.mark.parametrize(("most", "top"), [(2, "10¹"), (30_000, "10⁵")])
def test_powers_of_ten_label_the_counts_and_all_fits_into_the_panel(most, top):
    figure = codes_figure("conv1", {"weights": counts([1, 0, most, 1])})
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    labels = [axes.yaxis.get_major_formatter()(place) for place in axes.yaxis.get_majorticklocs()]
    shown = [
        label
        for label, place in zip(labels, axes.yaxis.get_majorticklocs(), strict=True)
        if low <= place <= high
    ]
    assert (shown[0], shown[-1]) == ("10⁰", top)
    assert high > 2 * most
    left, right = axes.get_xlim()
    assert left < -3
    assert right > 3


def test_layers_that_share_a_figure_look_as_if_drawn_alone():
    wide = {"weights": counts([7, 0, 2, 900], first=-120), "inputs": counts([1, 3], first=0)}
    layers = {
        "conv1": {"weights": counts([1, 1, 5]), "inputs": counts([1, 2])},
        "fc": {"weights": counts([2, 1])},
        "conv2": wide,
        "conv$3": {"weights": counts([30_000]), "inputs": counts([1, 1, 1, 1])},
    }
    pictures = codes_pictures(layers)
    assert list(pictures) == list(layers)
    for name, tensors in layers.items():
        assert pictures[name] == png(codes_figure(name, tensors))


def test_labels_cover_no_numbers_and_are_inside_of_the_figure():
    figure = codes_figure("conv1", {"weights": counts([1, 0, 10**9, 1], first=-1000)})
    (axes,) = figure.axes
    png(figure)
    for axis in (axes.xaxis, axes.yaxis):
        label = axis.label.get_window_extent()
        numbers = [tick.get_window_extent() for tick in axis.get_ticklabels() if tick.get_text()]
        assert numbers
        assert label.count_overlaps(numbers) == 0
        assert figure.bbox.count_contains([(label.x0, label.y0), (label.x1, label.y1)]) == 2
