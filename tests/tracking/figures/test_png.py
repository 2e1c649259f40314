"""The content of a PNG file: matplotlib's own pixels, from one drawing."""

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from qat.tracking.figures.png import png


def drawn(layout):
    figure = Figure(figsize=(3, 2), layout=layout)
    axes = figure.add_subplot()
    axes.plot([1, 20], [0, 1], label="a")
    axes.fill_between([1, 20], [0, 1], alpha=0.3)
    axes.set_title("accuracy")
    axes.set_ylabel("top-1 [%]")
    return figure


@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize("dpi", [100, 150])
def test_the_pixels_are_those_of_savefig(layout, dpi):
    saved = BytesIO()
    drawn(layout).savefig(saved, dpi=dpi)
    with Image.open(saved) as expected, Image.open(BytesIO(png(drawn(layout), dpi))) as image:
        assert image.mode == "RGB"
        assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)  # whole dots a metre
        assert np.array_equal(np.asarray(image), np.asarray(expected.convert("RGB")))


def test_a_figure_is_drawn_once_and_keeps_its_size(monkeypatch):
    draws, draw = [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, r: (draws.append(self), draw(self, r)))
    figure = drawn("constrained")
    png(figure, 150)
    assert draws == [figure]
    assert figure.dpi == 100


def test_a_text_is_shown_literally():
    figure = drawn(None)
    figure.axes[0].set_title("no formula: $\\frac$")  # as a formula this is an error
    assert png(figure).startswith(b"\x89PNG")
