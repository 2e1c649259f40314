"""Counts are exact while the histogram grows."""

import numpy as np
import pytest
import torch

from qat.observers.histogram import BINS, EXACT_LIMIT, HistogramObserver
from tests.observers.ranges import normal


def test_a_histogram_that_grows_loses_no_count():
    observer = HistogramObserver(2)
    for scale in (1.0, 10.0, 0.1, 300.0):
        observer.observe(normal(EXACT_LIMIT, seed=int(scale), slices=2) * scale)
    values, weights = observer.weighted_values()
    assert weights.sum(dim=1).tolist() == [4 * EXACT_LIMIT] * 2
    assert bool((values.diff(dim=1) > 0).all())


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_counts_are_those_of_numpy_after_growing_to_either_side(direction):
    """The second batch is 3 times as far out, so the width doubles and bins merge in pairs."""
    near, far = normal(20_000).abs(), 3 * normal(20_000, seed=1).abs()
    observer = HistogramObserver(1)
    for batch in (near, far):
        observer.observe(batch * direction)
    centres, counts = observer.weighted_values()
    width = float(centres[0, 1] - centres[0, 0])
    edges = float(centres[0, 0]) + width * (np.arange(BINS + 1) - 0.5)
    values = (torch.cat([near, far], dim=1) * direction).double().numpy().ravel()
    by_numpy, _ = np.histogram(values, edges)
    moved = np.abs(counts[0].numpy() - by_numpy).sum() / 2  # values at an edge, rounded
    assert counts.sum() == values.size
    assert moved <= 5


@pytest.mark.parametrize("count", [EXACT_LIMIT, EXACT_LIMIT + 1])
def test_a_small_first_batch_is_kept_until_a_second_comes(count):
    x, observer = normal(count), HistogramObserver(1)
    observer.observe(x)
    assert set(observer.statistics()) == (
        {"values"} if count == EXACT_LIMIT else {"counts", "start", "width"}
    )
    observer.observe(x)
    assert int(observer.statistics()["counts"].sum()) == 2 * count


def test_statistics_bring_the_distribution_to_another_observer():
    before, after = HistogramObserver(1), HistogramObserver(1)
    before.observe(normal(EXACT_LIMIT + 1))
    after.load_statistics(before.statistics())
    for own, other in zip(before.weighted_values(), after.weighted_values(), strict=True):
        assert torch.equal(own, other)


def test_a_range_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing was observed: run calibration batches first"):
        HistogramObserver(1).weighted_values()
