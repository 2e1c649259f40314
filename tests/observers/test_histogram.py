"""Counts are exact while the histogram grows."""

import numpy as np
import pytest
import torch

from qat.observers.histogram import BINS, EXACT_LIMIT, Histogram
from qat.observers.statistics import Collector
from tests.observers.ranges import normal


def test_a_histogram_that_grows_loses_no_count():
    observer = Collector(2, ["histogram"])
    for scale in (1.0, 10.0, 0.1, 300.0):
        observer.observe(normal(EXACT_LIMIT, seed=int(scale), slices=2) * scale)
    values, weights = observer.histogram.weighted_values()
    assert weights.sum(dim=1).tolist() == [4 * EXACT_LIMIT] * 2
    assert bool((values.diff(dim=1) > 0).all())


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_counts_are_those_of_numpy_after_growing_to_either_side(direction):
    """The second batch is 3 times as far out, so the width doubles and bins merge in pairs."""
    near, far = normal(20_000).abs(), 3 * normal(20_000, seed=1).abs()
    observer = Collector(1, ["histogram"])
    for batch in (near, far):
        observer.observe(batch * direction)
    centres, counts = observer.histogram.weighted_values()
    width = float(centres[0, 1] - centres[0, 0])
    edges = float(centres[0, 0]) + width * (np.arange(BINS + 1) - 0.5)
    values = (torch.cat([near, far], dim=1) * direction).double().numpy().ravel()
    by_numpy, _ = np.histogram(values, edges)
    moved = np.abs(counts[0].numpy() - by_numpy).sum() / 2  # values at an edge, rounded
    assert counts.sum() == values.size
    assert moved <= 5


@pytest.mark.parametrize("count", [EXACT_LIMIT, EXACT_LIMIT + 1])
def test_a_small_first_batch_is_kept_until_a_second_comes(count):
    x, observer = normal(count), Collector(1, ["histogram"])
    observer.observe(x)
    assert set(observer.histogram.statistics()) == (
        {"values"} if count == EXACT_LIMIT else {"counts", "start", "width"}
    )
    observer.observe(x)
    assert int(observer.statistics()["counts"].sum()) == 2 * count


def test_statistics_bring_the_distribution_to_another_observer():
    before, after = Collector(1, ["histogram"]), Collector(1, ["histogram"])
    before.observe(normal(EXACT_LIMIT + 1))
    after.load_statistics(before.statistics())
    for own, other in zip(
        before.histogram.weighted_values(), after.histogram.weighted_values(), strict=True
    ):
        assert torch.equal(own, other)


def test_a_range_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing was observed: run calibration batches first"):
        Histogram(1).weighted_values()


def test_bins_of_kept_values_are_those_of_numpy():
    x, histogram = normal(500, slices=2), Histogram(2)
    histogram.add(x, (x.amin(dim=1), x.amax(dim=1)))
    counts, start, width = histogram.bins()
    for row in range(2):
        edges = float(start[row]) + float(width[row]) * np.arange(BINS + 1)
        by_numpy, _ = np.histogram(x[row].double().numpy(), edges)
        assert counts[row].sum() == 500
        assert np.abs(counts[row].numpy() - by_numpy).sum() <= 4
    assert histogram.resolution().tolist() == [[0.0], [0.0]]


def test_counts_do_not_depend_on_the_pieces_in_which_rows_are_read():
    """Each row has more values than one piece; numpy counts them at once."""
    x, histogram = normal(300_000, slices=3), Histogram(3)
    histogram.add(x, (x.amin(dim=1), x.amax(dim=1)))
    counts, start, width = histogram.bins()
    index = np.floor((x.double().numpy() - start.numpy()) / width.numpy()).clip(0, BINS - 1)
    for row in range(3):
        by_numpy = np.bincount(index[row].astype(int), minlength=BINS)
        assert np.abs(counts[row].numpy() - by_numpy).sum() <= 4
