"""The published start of LSQ, by hand."""

import pytest

from qat.observers.mean_abs import MeanAbsObserver
from tests.observers.ranges import GRID, range_of


def test_mean_abs_gives_lsq_its_published_start():
    """2 mean|v| / sqrt(qmax) is the step, so qmax times that the range."""
    low, high = range_of(MeanAbsObserver(1), [[-1.0, 2.0]], [[3.0, 0.0]])
    assert low == 0
    assert high / GRID.qmax == pytest.approx(2 * 1.5 / 7**0.5)
