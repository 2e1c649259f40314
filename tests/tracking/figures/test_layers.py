"""SQNR of layers, as bars and as lines: the data of what is drawn."""

import math

import pytest

from qat.analysis.layers import LayerSQNR
from qat.tracking.figures.layers import layer_lines_figure, sqnr_figure

ROWS = [
    LayerSQNR("conv1", weight_db=40.0, act_db=35.5, output_db=33.0),
    LayerSQNR("layer1.0.conv1", weight_db=math.inf, act_db=None, output_db=-2.0),
]


def heights(figure):
    return [[bar.get_height() for bar in group] for group in figure.axes[0].containers]


def test_each_layer_has_its_bars():
    figure = sqnr_figure(ROWS)
    # one group for each of weight, input, output; none for a tensor left alone or lossless
    assert heights(figure) == [[40.0, 0.0], [35.5, 0.0], [33.0, -2.0]]
    assert [text.get_text() for text in figure.axes[0].texts] == ["∞"]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["conv1", "layer1.0.conv1"]
    assert figure.axes[0].get_ylabel() == "SQNR [dB]"


def test_no_layer_is_told():
    with pytest.raises(ValueError, match="no layer to draw"):
        sqnr_figure([])


def test_layers_come_in_the_order_of_the_network():
    courses = {"a": {"fc": 3.0, "conv2": 2.0}, "b": {"conv1": 1.0, "fc": 3.0}}
    figure = layer_lines_figure(courses, ["conv1", "conv2", "unused"], "it")
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert ticks == ["conv1", "conv2", "fc"]
    assert figure.axes[0].get_title() == "it"


def test_no_noted_layer_is_refused():
    with pytest.raises(ValueError, match="no run has the SQNR of its layers"):
        layer_lines_figure({"a": {}}, ["conv1"])
