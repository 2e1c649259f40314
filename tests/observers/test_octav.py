"""Newton's iteration for the clip: the paper's equation, and published optima."""

import numpy as np
import pytest
import torch

from qat.core.grid import IntGrid
from qat.core.qparams import qparams_from_range
from qat.observers.mse import MSEObserver, square_error
from qat.observers.octav import OCTAVObserver, best_step, newton_factor
from tests.observers.optima import CASES, grid_of, quantiles, step_and_sqnr
from tests.observers.ranges import normal


@pytest.mark.parametrize(("distribution", "kind", "bits", "step", "sqnr_db"), CASES)
def test_octav_finds_the_optima_of_known_distributions(distribution, kind, bits, step, sqnr_db):
    x = quantiles(distribution, kind)
    observed = step_and_sqnr(OCTAVObserver(1), x, grid_of(kind, bits))
    assert observed[0] == pytest.approx(step, rel=0.01)
    assert observed[1] == pytest.approx(sqnr_db, abs=0.1)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("sign", [True, False])
def test_the_iteration_ends_where_the_papers_derivative_is_zero(bits, sign):
    """In numpy: s = E[|x|; |x| > s] / (4^-B / 3 P(|x| <= s) + P(|x| > s)), / 12 for one sign."""
    x = normal(100_000).double()
    x = x if sign else x.abs()
    weights = torch.full_like(x, 1 / x.numel())
    reach = x.abs().amax(dim=1)
    clip = float(newton_factor(x, weights, -reach if sign else 0 * reach, reach, bits) * reach)
    magnitudes = np.abs(x.numpy().ravel())
    over = magnitudes > clip
    noise = 4.0**-bits / (3 if sign else 12)
    expected = magnitudes[over].sum() / (noise * (~over).sum() + over.sum())
    assert clip == pytest.approx(expected, rel=1e-3)


def test_zeros_cost_nothing_in_the_papers_iteration():
    x = normal(4000).double().abs()
    reach = x.amax(dim=1)
    with_zeros = torch.cat([torch.zeros(1, 4000).double(), x], dim=1)
    weights = (with_zeros != 0).double()
    alone = newton_factor(x, torch.ones_like(x), 0 * reach, reach, 4)
    torch.testing.assert_close(newton_factor(with_zeros, weights, 0 * reach, reach, 4), alone)


def test_the_iteration_on_codes_by_hand():
    """Codes 0, 1, 2, 3, 3 of 0, 1, 2, 3, 3.6: best is (1 + 4 + 9 + 10.8) / (1 + 4 + 9 + 9)."""
    x = torch.tensor([[0.0, 1.0, 2.0, 3.0, 3.6]], dtype=torch.float64)
    codes = torch.zeros(1).double(), torch.full((1,), 3.0).double()
    step = best_step(x, torch.full_like(x, 0.2), codes, torch.tensor([1.2]), torch.tensor([1.0]))
    assert step.item() == pytest.approx(24.8 / 23, rel=1e-3)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("kind", ["normal", "outlier", "skewed", "one-sided", "negative", "far"])
def test_octav_is_never_worse_than_minmax_and_about_as_good_as_the_search(kind, bits, symmetric):
    x = normal(2000, seed=bits)
    x = {
        "normal": x,
        "outlier": torch.cat([x, torch.tensor([[40.0]])], dim=1),
        "skewed": x.exp() - 1,
        "one-sided": x.relu(),
        "negative": -x.relu(),
        "far": x + 50,
    }[kind]
    grid = IntGrid(bits, signed=symmetric)
    errors = []
    for observer in (OCTAVObserver(1), MSEObserver(1)):
        observer.observe(x)
        low, high = observer.range(grid, symmetric=symmetric)
        errors.append(error(x, low, high, grid, symmetric))
    errors.append(error(x, x.amin(dim=1), x.amax(dim=1), grid, symmetric))
    assert errors[0] <= errors[2] * (1 + 1e-6)
    assert errors[0] <= errors[1] * 1.25  # the search also moves each end alone


def error(x, low, high, grid, symmetric):
    ones = torch.ones_like(x, dtype=torch.float64)
    return square_error(x.double(), ones, low.double(), high.double(), grid, symmetric).item()


def test_the_codes_of_the_range_are_those_that_were_searched():
    """An asymmetric range keeps its zero point while it is shrunk."""
    x, grid = normal(3000) * 2 + 1, IntGrid(4, signed=False)
    observer = OCTAVObserver(1)
    observer.observe(x)
    low, high = observer.range(grid, symmetric=False)
    _, zero_point = qparams_from_range(low, high, grid, symmetric=False)
    _, widest = qparams_from_range(x.amin(dim=1), x.amax(dim=1), grid, symmetric=False)
    assert torch.equal(zero_point, widest)
