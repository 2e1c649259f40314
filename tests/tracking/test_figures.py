"""Figures: what is drawn, and that it can be drawn at all."""

import math

import pytest
import torch

from qat.analysis.sqnr import LayerSQNR
from qat.tracking.figures import save_figure, sqnr_figure, weight_figure

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


def counts(figure):
    quantized, first = figure.axes[0].containers
    return [int(sum(bar.get_height() for bar in group)) for group in (quantized, first)]


def test_every_weight_is_counted_and_the_grid_drawn():
    before = torch.linspace(-1, 1, 1000)
    after = (before * 3).round() / 3
    figure = weight_figure("conv1", before, after)
    assert counts(figure) == [1000, 1000]
    grid = sorted(line.get_xdata()[0] for line in figure.axes[0].lines)
    assert grid == pytest.approx([-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1])
    assert figure.axes[0].get_title() == "conv1: 7 values"


def test_given_levels_are_drawn_and_too_many_are_not():
    x = torch.randn(500)
    assert len(weight_figure("a", x, x, levels=torch.arange(16)).axes[0].lines) == 16
    assert len(weight_figure("a", x, x).axes[0].lines) == 0


def test_a_constant_weight_has_a_bin():
    assert counts(weight_figure("a", torch.ones(9), torch.ones(9))) == [9, 9]


@pytest.mark.parametrize("after", [torch.zeros(2), torch.zeros(0)])
def test_unlike_or_empty_weights_are_told(after):
    with pytest.raises(ValueError, match="conv1: weights must be of one shape"):
        weight_figure("conv1", torch.zeros(after.numel() and 3), after)


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_figures_are_saved(tmp_path, suffix, start):
    path = save_figure(sqnr_figure(ROWS), tmp_path / "sub" / f"sqnr{suffix}")
    assert path.read_bytes().startswith(start)
