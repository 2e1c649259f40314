"""Ranges of least square error, against brute force and published optima."""

import numpy as np
import pytest
import torch

from qat.core.grid import IntGrid
from qat.observers.mse import MSEObserver, square_error
from tests.observers.optima import CASES, grid_of, quantiles, step_and_sqnr
from tests.observers.ranges import normal


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


def brute_force_error(x, grid):
    """The least mean square error over all zero points and 760 steps, in numpy."""
    steps = np.concatenate([np.linspace(0.002, 1.3, 700), np.geomspace(1e-4, 0.02, 60)])
    best = np.inf
    for zero_point in range(grid.qmin, grid.qmax + 1):
        for step in steps * (x.max() - x.min()) / (grid.qmax - grid.qmin):
            codes = np.clip(np.rint(x / step) + zero_point, grid.qmin, grid.qmax)
            best = min(best, np.square((codes - zero_point) * step - x).mean())
    return best


@pytest.mark.parametrize("bits", [2, 3])
@pytest.mark.parametrize("kind", ["outlier below", "half and outliers below", "skewed", "bimodal"])
def test_mse_with_a_free_zero_point_is_as_good_as_brute_force(bits, kind):
    normal = np.random.default_rng(0).normal(size=2000)
    x = {
        "outlier below": np.append(normal, -12.0),
        "half and outliers below": np.append(np.abs(normal), [-8.0] * 5),
        "skewed": np.exp(normal) - 1,
        "bimodal": np.append(0.1 * normal - 1, 0.3 * normal + 4),
    }[kind]
    grid, observer = IntGrid(bits, signed=False), MSEObserver(1)
    rows = torch.tensor(x)[None]
    observer.observe(rows.float())
    low, high = (end.double() for end in observer.range(grid, symmetric=False))
    found = square_error(rows, torch.ones_like(rows), low, high, grid, False).item() / len(x)
    assert found <= brute_force_error(x, grid) * 1.01


def test_a_huge_outlier_among_a_million_values_is_clipped():
    x = torch.cat([normal(1_000_000), torch.tensor([[400.0]])], dim=1)
    observer = MSEObserver(1)
    observer.observe(x)
    _, high = observer.range(IntGrid(4, signed=True), symmetric=True)
    # to clip it costs (400 - high)^2 / 1e6 = 0.16, not to clip it the whole variance of 1
    assert 2 < high.item() < 4


@pytest.mark.parametrize(("distribution", "kind", "bits", "step", "sqnr_db"), CASES)
def test_mse_finds_the_optima_of_known_distributions(distribution, kind, bits, step, sqnr_db):
    x = quantiles(distribution, kind)
    observed = step_and_sqnr(MSEObserver(1), x, grid_of(kind, bits))
    assert observed[0] == pytest.approx(step, rel=0.01)
    assert observed[1] == pytest.approx(sqnr_db, abs=0.1)


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
