"""Extremes of all batches, or of the last, by hand."""

from qat.observers.minmax import LatestObserver, MinMaxObserver
from tests.observers.ranges import BATCHES, range_of


def test_minmax_holds_all_batches():
    assert range_of(MinMaxObserver(1), *BATCHES) == (-4.0, 3.0)


def test_latest_holds_the_last():
    assert range_of(LatestObserver(1), *BATCHES) == (0.0, 3.0)
