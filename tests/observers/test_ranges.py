"""Each observer's range by hand, by numpy, or by brute force."""

import numpy as np
import pytest
import torch

from qat.core.grid import IntGrid
from qat.observers.ema import EMAObserver
from qat.observers.histogram import BINS, EXACT_LIMIT
from qat.observers.mean_abs import MeanAbsObserver
from qat.observers.minmax import LatestObserver, MinMaxObserver
from qat.observers.mse import MSEObserver, square_error
from qat.observers.percentile import PercentileObserver

GRID = IntGrid(4, signed=True)


def normal(count, seed=0, slices=1):
    return torch.randn(slices, count, generator=torch.Generator().manual_seed(seed))


def observed(observer, *batches, symmetric=False, grid=GRID):
    for batch in batches:
        observer.observe(torch.as_tensor(batch, dtype=torch.float32))
    low, high = observer.range(grid, symmetric=symmetric)
    return low.squeeze().tolist(), high.squeeze().tolist()


BATCHES = [[-1.0, 2.0]], [[-4.0, 1.0]], [[0.0, 3.0]]


def test_minmax_holds_all_batches():
    assert observed(MinMaxObserver(1), *BATCHES) == (-4.0, 3.0)


def test_latest_holds_the_last():
    assert observed(LatestObserver(1), *BATCHES) == (0.0, 3.0)


def test_ema_starts_at_the_first_batch_and_moves_by_momentum():
    # low: -1, then -1 + 0.1 (-4 + 1) = -1.3, then -1.3 + 0.1 (0 + 1.3) = -1.17
    # high: 2, then 2 + 0.1 (1 - 2) = 1.9, then 1.9 + 0.1 (3 - 1.9) = 2.01
    assert observed(EMAObserver(1), *BATCHES) == pytest.approx((-1.17, 2.01))


@pytest.mark.parametrize("momentum", [0.0, -0.1, 1.1])
def test_a_momentum_out_of_range_is_refused(momentum):
    with pytest.raises(ValueError, match=r"momentum must be in \(0, 1\]"):
        EMAObserver(1, momentum)


def test_mean_abs_gives_lsq_its_published_start():
    """2 mean|v| / sqrt(qmax) is the step, so qmax times that the range."""
    low, high = observed(MeanAbsObserver(1), [[-1.0, 2.0]], [[3.0, 0.0]])
    assert low == 0
    assert high / GRID.qmax == pytest.approx(2 * 1.5 / 7**0.5)


@pytest.mark.parametrize("percentile", [99.0, 99.9, 100.0])
@pytest.mark.parametrize("count", [EXACT_LIMIT // 2, 100_000], ids=["kept", "counted"])
def test_percentile_equals_numpy_to_a_bin(percentile, count):
    x = normal(count)
    low, high = observed(PercentileObserver(1, percentile), x)
    bin_width = 2 * (x.max() - x.min()).item() / BINS
    expected = np.percentile(
        x.numpy(), [100 - percentile, percentile], method="inverted_cdf"
    ).tolist()
    assert (low, high) == pytest.approx(expected, abs=2 * bin_width)


@pytest.mark.parametrize("percentile", [50, 100.1, -1])
def test_a_percentile_out_of_range_is_refused(percentile):
    with pytest.raises(ValueError, match="percentile must be above 50, at most 100"):
        PercentileObserver(1, percentile)


def test_a_histogram_that_grows_loses_no_count():
    observer = PercentileObserver(2)
    for scale in (1.0, 10.0, 0.1, 300.0):
        observer.observe(normal(EXACT_LIMIT, seed=int(scale), slices=2) * scale)
    values, weights = observer.weighted_values()
    assert weights.sum(dim=1).tolist() == [4 * EXACT_LIMIT] * 2
    assert bool((values.diff(dim=1) > 0).all())


def test_batches_together_are_the_whole():
    """Counted in parts or at once: the same values within a bin."""
    x = normal(60_000)
    whole, parts = PercentileObserver(1, 99.0), PercentileObserver(1, 99.0)
    found = observed(whole, x), observed(parts, *x.split(20_000, dim=1))
    bin_width = 2 * (x.max() - x.min()).item() / BINS
    assert found[0] == pytest.approx(found[1], abs=2 * bin_width)


def brute_force_step(x, grid):
    """The best of 20,000 steps, in numpy."""
    best = np.inf, 0.0
    for step in np.linspace(1e-3, 1.5, 2_000) * np.abs(x).max() / grid.qmax:
        codes = np.clip(np.round(x / step), grid.qmin, grid.qmax)
        best = min(best, (((codes * step - x) ** 2).mean(), step))
    return best


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_mse_is_as_good_as_brute_force(bits):
    x, grid = normal(3000), IntGrid(bits, signed=True)
    low, high = MSEObserver(1), None
    low.observe(x)
    low, high = low.range(grid, symmetric=True)
    error, _ = brute_force_step(x.numpy().astype(np.float64).ravel(), grid)
    ones = torch.ones(1, 3000, dtype=torch.float64)
    found = square_error(x.double(), ones, low.double(), high.double(), grid, True).item() / 3000
    assert found <= error * 1.005


# Optimal step and signal-to-noise ratio of the quantizer with zero as a code, for a normal
# distribution of unit variance (full range, unsigned: a half-normal one).
OPTIMAL = [
    pytest.param(2, "full", 1.0484, 8.26, id="2 full"),
    pytest.param(3, "full", 0.6018, 13.91, id="3 full"),
    pytest.param(4, "full", 0.3386, 19.26, id="4 full"),
    pytest.param(5, "full", 0.1888, 24.53, id="5 full"),
    pytest.param(2, "narrow", 1.2240, 7.21, id="2 narrow"),
    pytest.param(3, "narrow", 0.6508, 13.29, id="3 narrow"),
    pytest.param(4, "narrow", 0.3534, 18.90, id="4 narrow"),
    pytest.param(2, "unsigned", 0.6508, 13.29, id="2 unsigned"),
    pytest.param(3, "unsigned", 0.3534, 18.90, id="3 unsigned"),
    pytest.param(4, "unsigned", 0.1932, 24.33, id="4 unsigned"),
]


@pytest.mark.parametrize(("bits", "kind", "step", "sqnr_db"), OPTIMAL)
def test_mse_finds_the_optimal_step_of_a_normal_distribution(bits, kind, step, sqnr_db):
    grid = IntGrid(bits, signed=kind != "unsigned", narrow=kind == "narrow")
    x = normal(400_000, seed=5)
    x = x.abs() if kind == "unsigned" else x
    observer = MSEObserver(1)
    observer.observe(x)
    low, high = observer.range(grid, symmetric=True)
    found = (torch.maximum(-low, high) / grid.qmax).item()
    assert found == pytest.approx(step, rel=0.02)
    codes = (x / found).round().clamp(grid.qmin, grid.qmax)
    ratio = x.square().sum() / (codes * found - x).square().sum()
    assert 10 * torch.log10(ratio).item() == pytest.approx(sqnr_db, abs=0.05)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("kind", ["normal", "outlier", "skewed", "one-sided"])
def test_mse_is_never_worse_than_minmax(bits, symmetric, kind):
    x = normal(2000, seed=bits)
    x = {
        "normal": x,
        "outlier": torch.cat([x, torch.tensor([[40.0]])], dim=1),
        "skewed": x.exp() - 1,
        "one-sided": x.abs(),
    }[kind]
    grid = IntGrid(bits, signed=symmetric)
    observer = MSEObserver(1)
    observer.observe(x)
    ones = torch.ones_like(x, dtype=torch.float64)
    best, extremes = (
        square_error(x.double(), ones, low.double(), high.double(), grid, symmetric).item()
        for low, high in (
            observer.range(grid, symmetric=symmetric),
            (x.amin(dim=1), x.amax(dim=1)),
        )
    )
    assert best <= extremes * (1 + 1e-6)


@pytest.mark.parametrize(("bits", "db"), [(2, 12.04), (3, 18.06), (4, 24.08), (6, 36.12)])
def test_uniform_values_at_their_own_range_have_six_db_a_bit(bits, db):
    grid = IntGrid(bits, signed=False)
    x = torch.linspace(0, 1, 200_001, dtype=torch.float64)[None] * grid.levels
    # The range whose outer codes stand half a step inside the data: 2^bits equal cells.
    low, high = torch.zeros(1, dtype=torch.float64), torch.full((1,), grid.qmax + 0.0).double()
    shifted = x - 0.5
    noise = square_error(shifted, torch.ones_like(x), low, high, grid, True).item() / x.numel()
    variance = grid.levels**2 / 12
    assert 10 * np.log10(variance / noise) == pytest.approx(db, abs=0.01)


def test_minmax_error_of_four_bits_over_eight():
    """Both round to +-half a step, and the steps are as 127 to 7: errors as their squares."""
    x = normal(200_000)
    errors = []
    for bits in (4, 8):
        ones = torch.ones_like(x, dtype=torch.float64)
        low, high = x.amin(dim=1).double(), x.amax(dim=1).double()
        errors.append(square_error(x.double(), ones, low, high, IntGrid(bits, True), True).item())
    assert errors[0] / errors[1] == pytest.approx((127 / 7) ** 2, rel=0.05)
