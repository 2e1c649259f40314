"""Accuracy by bits: the data of what is drawn."""

import numpy as np
import pytest

from qat.tracking.figures.bits import bits_figure


def test_accuracy_by_bits_with_bars_and_float():
    figure = bits_figure({"lsq": [(8, 0.92, 0.01), (4, 0.91, None)]}, float_top1=0.93)
    (container,) = figure.axes[0].containers
    data, _, (bars,) = container
    assert np.allclose(data.get_xydata(), [[4, 91], [8, 92]])
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert np.allclose(ends, [[91, 91], [91, 93]])
    assert figure.axes[0].lines[-1].get_ydata()[0] == pytest.approx(93)


def test_settings_of_one_width_are_not_joined():
    figure = bits_figure({"lsq": [(4, 0.9, None), (4, 0.8, None), (8, 0.91, None)]})
    (container,) = figure.axes[0].containers
    assert container[0].get_linestyle() == "None"


def test_nothing_to_draw_is_refused():
    for series in ({}, {"lsq": []}):
        with pytest.raises(ValueError, match="no reading to draw"):
            bits_figure(series)
