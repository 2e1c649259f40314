"""Tensors of one forward that share a scale are one batch: their union, whatever the observer."""

import numpy as np
import pytest
import torch

from qat.core.grid import IntGrid
from qat.observers.aciq_gauss import ACIQGaussObserver
from qat.observers.aciq_laplace import ACIQLaplaceObserver
from qat.observers.base import Observer, batch_extremes, finite_extremes
from qat.observers.ema import EMAObserver
from qat.observers.entropy import EntropyObserver
from qat.observers.histogram import EXACT_LIMIT
from qat.observers.mean_abs import MeanAbsObserver
from qat.observers.minmax import LatestObserver, MinMaxObserver
from qat.observers.mse import MSEObserver
from qat.observers.octav import OCTAVObserver
from qat.observers.percentile import PercentileObserver
from qat.observers.std import StdObserver

GRID = IntGrid(8, signed=True)
EVERY = {
    "minmax": MinMaxObserver,
    "ema": EMAObserver,
    "latest": LatestObserver,
    "mean_abs": MeanAbsObserver,
    "mse": MSEObserver,
    "percentile": lambda slices: PercentileObserver(slices, 97.0),
    "entropy": EntropyObserver,
    "octav": OCTAVObserver,
    "std": StdObserver,
    "aciq_gauss": ACIQGaussObserver,
    "aciq_laplace": ACIQLaplaceObserver,
}
BIN_WIDTHS = {"mse": 4, "percentile": 4, "entropy": 64, "octav": 4, "aciq_laplace": 4}
"""How many bins a range may move if the histogram begins elsewhere."""


def branches(seed, count=3, elements=400):
    """Tensors ``(1, n)`` of very different size."""
    generator = torch.Generator().manual_seed(seed)
    shape = 1, elements
    return [torch.randn(shape, generator=generator) * 4.0**i - i for i in range(count)]


def shown(observer, forwards, uses):
    observer.expect(uses)
    for tensors in forwards:
        for tensor in tensors:
            observer.observe(tensor)
        observer.close()
    return observer


def span(observer):
    return torch.stack(observer.range(GRID, symmetric=False))


@pytest.mark.parametrize("uses", [3, None])
@pytest.mark.parametrize("name", EVERY)
def test_branches_count_as_their_concatenation(name, uses):
    forwards = [branches(seed) for seed in range(3)]
    apart = shown(EVERY[name](1), forwards, uses)
    at_once = shown(EVERY[name](1), [[torch.cat(f, dim=1)] for f in forwards], 1)
    width = float(np.ptp(np.concatenate([t.numpy().ravel() for f in forwards for t in f])))
    bins = BIN_WIDTHS.get(name, 0) * width / 1024
    assert torch.allclose(span(apart), span(at_once), rtol=1e-6, atol=bins)


def test_a_moving_average_moves_by_the_union_of_each_forward():
    """By hand: maxima 5.7, 11.8, 22.7, 5.0 share 22.7 and not 7.7; then a tenth towards 30."""
    observer = EMAObserver(1)
    observer.expect(4)
    for high in (5.7, 11.8, 22.7, 5.0):
        observer.observe(torch.tensor([[0.0, high]]))
    assert observer.high.item() == pytest.approx(22.7)
    for high in (1.0, 30.0, 2.0, 3.0):
        observer.observe(torch.tensor([[-1.0, high]]))
    assert observer.high.item() == pytest.approx(22.7 + 0.1 * (30 - 22.7))
    assert observer.low.item() == pytest.approx(-0.1)


def test_nothing_is_collected_before_the_last_tensor_has_come():
    observer = EMAObserver(1)
    observer.expect(2)
    observer.observe(torch.ones(1, 3))
    assert observer.is_open
    assert not observer.seen
    observer.observe(torch.full((1, 2), 5.0))
    assert not observer.is_open
    assert (observer.low.item(), observer.high.item()) == (1.0, 5.0)


def test_a_percentile_is_of_the_union_of_the_distributions():
    """900 values of a quiet tensor, 100 of a loud one: the 95th of all, by numpy."""
    quiet, loud = np.linspace(0, 1, 900), np.linspace(10, 20, 100)
    observer = PercentileObserver(1, 95.0)
    observer.expect(2)
    for part in (quiet, loud):
        observer.observe(torch.from_numpy(part).float().reshape(1, -1))
    by_numpy = np.sort(np.concatenate([quiet, loud]))[949]  # the 950th of 1000
    assert observer.range(GRID, symmetric=True)[1].item() == pytest.approx(by_numpy, rel=1e-6)


def test_the_best_range_is_that_of_the_union():
    """Many small values beside few large: a range that either tensor alone would not have."""
    parts = branches(0, count=2, elements=600)
    observer = shown(MSEObserver(1), [parts], 2)
    values = np.concatenate([p.numpy().ravel() for p in parts]).astype(np.float64)

    def error(scale):
        codes = np.clip(np.round(values / scale), GRID.qmin, GRID.qmax)
        return np.square(codes * scale - values).sum()

    top = np.abs(values).max()
    best = min(error(top * factor / GRID.qmax) for factor in np.linspace(0.3, 1.2, 400))
    high = max(-observer.range(GRID, symmetric=True)[0], observer.range(GRID, symmetric=True)[1])
    assert error(high.item() / GRID.qmax) <= best * 1.01


@pytest.mark.parametrize("elements", [EXACT_LIMIT // 2, EXACT_LIMIT // 2 + 1])
def test_a_first_union_is_kept_as_it_is_while_it_is_small(elements):
    parts = branches(1, count=2, elements=elements)
    values, weights = shown(PercentileObserver(1), [parts], 2).histogram.weighted_values()
    assert int(weights.sum()) == 2 * elements
    exact = torch.cat(parts, dim=1).double().sort(dim=1).values
    assert torch.equal(values, exact) == (2 * elements <= EXACT_LIMIT)


class Spread(Observer):
    """A user's, which knows nothing of unions: it is given them whole."""

    def __init__(self, slices):
        super().__init__(slices)
        self.batches = []

    def collect(self, x):
        self.batches.append(x)


class Inherits(EMAObserver):
    """It may look at more than extremes, so it gets all values."""

    def collect(self, x):
        super().collect(x)
        self.elements = x.shape[1]


def test_an_observer_of_the_users_gets_whole_unions():
    parts = branches(2)
    observer = shown(Spread(1), [parts, parts], 3)
    assert [torch.equal(x, torch.cat(parts, dim=1)) for x in observer.batches] == [True, True]
    assert shown(Inherits(1), [parts], 3).elements == 1200


def test_extremes_of_rows_by_numpy():
    x = branches(3)[0].reshape(4, 100)
    for extremes in (finite_extremes, batch_extremes):
        low, high = extremes(x)
        assert low.tolist() == np.min(x.numpy(), axis=1).tolist()
        assert high.tolist() == np.max(x.numpy(), axis=1).tolist()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_extremes_of_what_is_not_finite_are_refused(bad):
    x = torch.ones(2, 3)
    x[1, 1] = bad
    for extremes in (finite_extremes, batch_extremes):
        with pytest.raises(ValueError, match="observed values contain NaN or infinity: repair"):
            extremes(x)
