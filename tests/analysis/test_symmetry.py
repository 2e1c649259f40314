"""Grids without a network, against known constants."""

import math

import numpy as np
import pytest
import torch

from qat.analysis.distributions import draw
from qat.analysis.symmetry import error_steps, quantized, symmetry_rows

COUNT = 200_000

# Optimal uniform quantizer with a code at zero, full range: step and SQNR in dB of a unit Gauss.
GAUSS = {2: (1.0484, 8.26), 3: (0.6018, 13.91), 4: (0.3386, 19.26), 6: (0.1042, 29.82)}
# The same of a half-normal with unsigned codes.
HALF_NORMAL = {2: (0.6508, 13.29), 3: (0.3534, 18.90), 4: (0.1932, 24.33), 6: (0.0573, 35.11)}


def one(tensor, bits, symmetric, range_):
    rows = symmetry_rows({"x": tensor}, [bits], [range_])
    (found,) = [r for r in rows if r.row.symmetric is symmetric]
    return found.row


@pytest.mark.parametrize("bits", GAUSS)
@pytest.mark.parametrize(("law", "known"), [("gauss", GAUSS), ("half_normal", HALF_NORMAL)])
def test_the_least_squared_error_is_the_known_optimum(law, known, bits):
    step, db = known[bits]
    row = one(draw(law, COUNT), bits, True, "mse")
    assert row.sqnr_db == pytest.approx(db, abs=0.12)
    assert row.step == pytest.approx(step, rel=0.04)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_uniform_data_over_its_own_range_lose_six_decibels_a_bit(bits):
    row = one(torch.rand(COUNT, generator=torch.Generator().manual_seed(0)), bits, False, "minmax")
    levels = 2**bits - 1  # steps between codes; the signal's power is a third
    assert row.sqnr_db == pytest.approx(10 * math.log10(4 * levels**2), abs=0.1)
    assert row.used_codes == 1
    assert row.clipped == 0
    assert row.max_error_steps == pytest.approx(0.5, abs=1e-3)
    assert row.rms_error_steps == pytest.approx(1 / math.sqrt(12), rel=0.01)


def test_an_asymmetric_grid_serves_what_is_lopsided_and_not_what_is_even():
    lopsided = draw("bimodal", COUNT) + 1
    gain = [one(lopsided, 4, s, "minmax").sqnr_db for s in (False, True)]
    assert gain[0] > gain[1] + 2
    even = [one(draw("gauss", COUNT), 4, s, "mse").sqnr_db for s in (False, True)]
    assert abs(even[0] - even[1]) < 0.2


def test_sqnr_equals_numpy():
    x = draw("laplace", 5000)
    row = one(x, 4, True, "minmax")
    values = x.double().numpy()
    step = np.abs(values).max() / 7
    error = np.clip(np.round(values / step), -8, 7) * step - values
    assert row.sqnr_db == pytest.approx(
        10 * math.log10((values**2).sum() / (error**2).sum()), abs=1e-3
    )
    assert row.rmin == pytest.approx(-8 * step, rel=1e-5)
    assert row.rmax == pytest.approx(7 * step, rel=1e-5)


def test_errors_are_within_half_a_step_where_nothing_is_clipped():
    x = draw("skewed", 1000)
    errors = error_steps(x, quantized(x, 4, False, "minmax"))
    assert float(errors.abs().max()) <= 0.5 + 1e-4
    clipped = quantized(draw("outliers", COUNT), 4, True, "mse")
    assert float(error_steps(draw("outliers", COUNT), clipped).abs().max()) > 1
