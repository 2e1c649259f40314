"""Figures: what is drawn, and that it can be drawn at all."""

import math

import pytest

from qat.analysis.layers import LayerSQNR
from qat.tracking.figures.layers import sqnr_figure
from qat.tracking.figures.style import save_figure

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


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_figures_are_saved(tmp_path, suffix, start):
    path = save_figure(sqnr_figure(ROWS), tmp_path / "sub" / f"sqnr{suffix}")
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix):
    first, second = (
        save_figure(sqnr_figure(ROWS), tmp_path / f"{name}{suffix}").read_bytes() for name in "ab"
    )
    assert first == second
