"""Mean and standard deviations, by numpy."""

import numpy as np
import pytest

from qat.observers.std import StdObserver
from tests.observers.ranges import normal, range_of


@pytest.mark.parametrize("k", [0.5, 2.0])
def test_the_range_is_that_of_numpy(k):
    batches = [normal(1000, seed=seed) * 3**seed + seed for seed in range(3)]
    low, high = range_of(StdObserver(1, k), *batches)
    values = np.concatenate([x.numpy().ravel() for x in batches]).astype(np.float64)
    assert low == pytest.approx(values.mean() - k * values.std(), rel=1e-6)
    assert high == pytest.approx(values.mean() + k * values.std(), rel=1e-6)


def test_it_is_never_wider_than_the_values():
    """By hand: mean 2.5, deviation 4.33."""
    low, high = range_of(StdObserver(1, 1.0), [[0.0, 0.0, 0.0, 10.0]])
    assert low == 0
    assert high == pytest.approx(2.5 + 75**0.5 / 2)


@pytest.mark.parametrize("k", [0, -1, float("inf"), float("nan")])
def test_a_width_that_is_none_is_refused(k):
    with pytest.raises(ValueError, match="k must be above 0"):
        StdObserver(1, k)
