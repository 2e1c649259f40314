"""Sensitivity as bars, bits as a line."""

import pytest

from qat.tracking.figures.sensitivity import sensitivity_figure


def test_sensitivity_with_bits_over_it():
    figure = sensitivity_figure(["conv1", "conv2"], [0.1, 0.02], [8, 4], "points")
    bars, widths = figure.axes
    assert [bar.get_height() for bar in bars.patches] == [0.1, 0.02]
    assert list(widths.lines[0].get_ydata()) == [8, 4]
    assert bars.get_ylabel() == "sensitivity [points]"
    with pytest.raises(ValueError, match="of one length"):
        sensitivity_figure(["conv1"], [0.1], [])
