"""Accuracy against a cost: points, their front, names, axes."""

import numpy as np
import pytest

from qat.tracking.figures.pareto import CostPoint, pareto_figure

POINTS = [
    CostPoint("w8a8", "lsq", 4096, 0.92, 0.001),
    CostPoint("w4a4", "lsq", 2048, 0.91, 0.002),
    CostPoint("w4a4 minmax", "minmax", 2048, 0.80),
    CostPoint("w2a2", "lsq", 1024, 0.70, 0.01),
]


def lines(figure, label):
    [line] = [line for line in figure.axes[0].lines if line.get_label() == label]
    return np.stack(line.get_data(), axis=1).tolist()


def test_accuracy_against_size_with_its_front():
    figure = pareto_figure(POINTS, "packed_bytes", "it")
    front = [[1.0, 70.0], [2.0, 91.0], [4.0, 92.0]]  # KiB and percent; minmax is beaten
    assert np.allclose(lines(figure, "Pareto front"), front)
    names = {text.get_text() for text in figure.axes[0].texts}
    assert names == {"w2a2", "w4a4", "w8a8"}
    assert figure.axes[0].get_xlabel() == "packed size [KiB]"
    assert len(figure.axes[0].containers) == 2


def test_a_wide_range_of_costs_is_logarithmic():
    wide = [*POINTS, CostPoint("float", "float", 1e6, 0.93)]
    assert pareto_figure(wide, "packed_bytes").axes[0].get_xscale() == "log"
    assert pareto_figure(POINTS, "packed_bytes").axes[0].get_xscale() == "linear"
    with pytest.raises(ValueError, match="no point to draw"):
        pareto_figure([], "bops")
