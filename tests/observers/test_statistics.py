"""Statistics of one pass: what is in them, and that batches and parts add up."""

import pytest
import torch

from qat.core.grid import IntGrid
from qat.core.scheme import Method
from qat.observers.base import PARTS
from qat.observers.registry import OBSERVERS, make_observer
from qat.observers.statistics import Collector, distribution
from tests.observers.ranges import normal

NAMES = sorted(OBSERVERS)
BATCHES = [normal(9000, seed=seed, slices=3) * 2.0 ** (3 * seed) for seed in range(3)]


def collected(parts, *batches):
    collector = Collector(3, parts)
    for x in batches:
        collector.observe(x)
    return collector


@pytest.mark.parametrize("count", [100, 9000])
@pytest.mark.parametrize("name", NAMES)
def test_an_observer_that_loads_equals_one_that_observed(name, count):
    batches = [x[:, :count] for x in BATCHES]
    observed, loaded = (make_observer(Method(name), 3) for _ in range(2))
    for x in batches:
        observed.observe(x)
    loaded.load_statistics(collected(PARTS, *batches).statistics())
    assert loaded.seen
    for signed in (True, False):
        for symmetric in (True, False):
            pairs = (o.range(IntGrid(4, signed), symmetric=symmetric) for o in (observed, loaded))
            for own, other in zip(*pairs, strict=True):
                assert torch.equal(own, other)


@pytest.mark.parametrize("parts", [(), ("moments",), ("histogram",), PARTS])
def test_only_the_parts_that_are_needed_are_collected(parts):
    names = {
        "moments": {"count", "mean", "m2", "abs_total", "nonzero"},
        "histogram": {"counts", "start", "width"},
    }
    expected = {"extremes"}.union(*(names[part] for part in parts))
    assert set(collected(parts, *BATCHES).statistics()) == expected


def test_extremes_are_kept_by_batch_and_tensors_of_one_batch_are_one():
    collector = collected((), BATCHES[0])
    collector.expect(2)
    for x in BATCHES[1:]:
        collector.observe(x)
    assert len(collector.statistics()["extremes"]) == 2
    both = torch.cat(BATCHES[1:], dim=1)
    assert torch.equal(collector.statistics()["extremes"][1, 0], both.amin(dim=1))
    everything = torch.cat(BATCHES, dim=1)
    assert torch.equal(collector.extremes()[1], everything.amax(dim=1))


def test_parts_add_up_to_the_whole():
    """The histogram has every value, in a bin that contains it, however the batches were split."""
    whole, parts = torch.cat(BATCHES, dim=1), [y for x in BATCHES for y in x.split(2500, dim=1)]
    collector = collected(PARTS, *parts)
    counts, start, width = collector.histogram.bins()
    assert counts.sum(dim=1).tolist() == [whole.shape[1]] * 3
    for share in (0.01, 0.5, 0.99):
        quantile = whole.double().quantile(share, dim=1)
        below = counts.cumsum(dim=1) >= share * whole.shape[1]
        edge = start.squeeze(1) + width.squeeze(1) * below.int().argmax(dim=1)
        assert bool((quantile - edge).abs().le(2 * width.squeeze(1)).all())


def test_nothing_is_there_before_any_observation_and_after_a_reset():
    collector = collected(PARTS, *BATCHES)
    collector.reset()
    assert not collector.seen
    assert collector.statistics() == {}
    with pytest.raises(ValueError, match="nothing was observed"):
        collector.extremes()


def test_only_an_observer_with_a_histogram_has_a_distribution():
    observer = make_observer(Method("mse"), 1)
    observer.observe(torch.tensor([[3.0, 1.0]]))
    values, weights = distribution(observer)
    assert values.tolist() == [[1.0, 3.0]]
    assert weights.tolist() == [[1.0, 1.0]]
    assert distribution(make_observer(Method("minmax"), 1)) is None
