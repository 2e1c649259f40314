"""Percentiles against numpy."""

import numpy as np
import pytest

from qat.observers.histogram import BINS, EXACT_LIMIT
from qat.observers.percentile import PercentileObserver
from tests.observers.ranges import normal, range_of


@pytest.mark.parametrize("percentile", [99.0, 99.9, 100.0])
@pytest.mark.parametrize("count", [EXACT_LIMIT // 2, 100_000], ids=["kept", "counted"])
def test_percentile_equals_numpy_to_a_bin(percentile, count):
    x = normal(count)
    low, high = range_of(PercentileObserver(1, percentile), x)
    bin_width = 2 * (x.max() - x.min()).item() / BINS
    expected = np.percentile(
        x.numpy(), [100 - percentile, percentile], method="inverted_cdf"
    ).tolist()
    assert (low, high) == pytest.approx(expected, abs=2 * bin_width)


@pytest.mark.parametrize("percentile", [50, 100.1, -1])
def test_a_percentile_out_of_range_is_refused(percentile):
    with pytest.raises(ValueError, match="percentile must be above 50, at most 100"):
        PercentileObserver(1, percentile)


def test_batches_together_are_the_whole():
    """Counted in parts or at once: the same values within a bin."""
    x = normal(60_000)
    whole, parts = PercentileObserver(1, 99.0), PercentileObserver(1, 99.0)
    ends = range_of(whole, x), range_of(parts, *x.split(20_000, dim=1))
    bin_width = 2 * (x.max() - x.min()).item() / BINS
    assert ends[0] == pytest.approx(ends[1], abs=2 * bin_width)
