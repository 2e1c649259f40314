"""Many methods by bits: the data of what is drawn."""

import numpy as np
import pytest

from qat.tracking.figures.bits_rows import bits_rows_figure


def test_a_mark_for_each_width_and_the_best_at_few_bits_on_top():
    series = {
        "a": [(4, 0.90, 0.01), (2, 0.70, None)],
        "b": [(2, 0.80, None), (4, 0.89, None)],
    }
    (axes,) = bits_rows_figure(series, float_top1=0.91).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["b", "a"]
    four, two = (container[0].get_xydata() for container in axes.containers)
    assert [c.get_label() for c in axes.containers] == ["4 bits", "2 bits"]
    assert np.allclose(four[:, 0], [89, 90])
    assert np.allclose(two[:, 0], [80, 70])
    assert (np.round(four[:, 1]) == [0, 1]).all()
    assert (np.round(two[:, 1]) == [0, 1]).all()
    (bars,) = axes.containers[0][2]
    assert np.allclose(bars.get_segments()[1][:, 0], [89, 91])


def test_a_mark_far_below_stands_at_the_edge_with_its_value():
    series = {f"m{n}": [(2, 0.9 - n / 1000, None)] for n in range(9)} | {"lost": [(2, 0.1, None)]}
    (axes,) = bits_rows_figure(series).axes
    assert axes.get_xlim()[0] > 80
    assert [text.get_text() for text in axes.texts] == ["10.0"]


def test_nothing_to_draw_is_refused():
    for series in ({}, {"lsq": []}):
        with pytest.raises(ValueError, match="no reading to draw"):
            bits_rows_figure(series)
