import math

import numpy as np
import pytest
import torch
from hypothesis import given

from qat.core.grid import IntGrid
from qat.core.qparams import qparams_from_range, round_up_to_power_of_two
from tests.reference.affine import scale_and_zero_point
from tests.strategies import grids, ranges

U8, S8, S4 = IntGrid(8, signed=False), IntGrid(8, signed=True), IntGrid(4, signed=True)


def of_range(low, high, grid, **options):
    scale, zero_point = qparams_from_range(
        torch.tensor([low]), torch.tensor([high]), grid, **{"symmetric": False, **options}
    )
    return scale.item(), zero_point.item()


@pytest.mark.parametrize(
    ("low", "high", "grid", "symmetric", "by_hand"),
    [
        pytest.param(-1.0, 3.0, IntGrid(2, signed=False), False, (4 / 3, 1), id="u2"),
        pytest.param(0.0, 255.0, U8, False, (1.0, 0), id="u8 whole numbers"),
        pytest.param(-128.0, 127.0, S8, False, (1.0, 0), id="s8 whole numbers"),
        pytest.param(-255.0, 0.0, U8, False, (1.0, 255), id="negative only"),
        pytest.param(2.0, 4.0, S8, True, (4 / 127, 0), id="symmetric by the larger"),
        pytest.param(-14.0, 4.0, S4, True, (2.0, 0), id="symmetric by the negative"),
        pytest.param(0.0, 1.0, U8, True, (1 / 255, 0), id="unsigned symmetric"),
        pytest.param(5.0, 10.0, U8, False, (10 / 255, 0), id="widened down to zero"),
        pytest.param(-10.0, -5.0, U8, False, (10 / 255, 255), id="widened up to zero"),
    ],
)
def test_by_hand(low, high, grid, symmetric, by_hand):
    assert of_range(low, high, grid, symmetric=symmetric) == pytest.approx(by_hand)


@given(grids(), ranges())
def test_equals_numpy(grid, bounds):
    for symmetric in (True, False):
        found = of_range(*bounds, grid, symmetric=symmetric)
        expected = scale_and_zero_point(*bounds, grid.qmin, grid.qmax, symmetric)
        assert found[0] == pytest.approx(expected[0], rel=1e-6)
        # In float32 a zero point that is nearly a tie may round to the other side.
        real = grid.qmin - min(bounds[0], 0) / expected[0]
        nearly_a_tie = abs(real % 1 - 0.5) < 1e-6 * grid.levels
        assert abs(found[1] - expected[1]) <= (1 if nearly_a_tie else 0)


@given(grids(), ranges())
def test_zero_is_a_code_of_every_asymmetric_grid(grid, bounds):
    _, zero_point = of_range(*bounds, grid)
    assert grid.qmin <= zero_point <= grid.qmax
    assert zero_point == int(zero_point)


@given(grids(), ranges())
def test_a_power_of_two_scale_is_one_and_still_covers_the_range(grid, bounds):
    free, _ = of_range(*bounds, grid)
    power, _ = of_range(*bounds, grid, power_of_two=True)
    assert math.log2(power) == int(math.log2(power))
    assert free <= power < 2 * free


@pytest.mark.parametrize("exponent", [-126, -20, -1, 0, 1, 100])
def test_a_power_of_two_stays_itself_and_the_next_float_goes_up(exponent):
    power = torch.tensor([2.0**exponent])
    assert round_up_to_power_of_two(power).item() == 2.0**exponent
    above = torch.nextafter(power, torch.tensor([torch.inf]))
    assert round_up_to_power_of_two(above).item() == 2.0 ** (exponent + 1)


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_range_of_nothing_but_zero_gets_scale_one(symmetric):
    assert of_range(0.0, 0.0, S8, symmetric=symmetric)[0] == 1.0


def test_a_tiny_range_never_gives_a_scale_that_cannot_be_divided_by():
    scale, _ = of_range(0.0, 1e-44, U8)
    assert scale >= torch.finfo(torch.float32).tiny
    assert np.isfinite(1 / np.float32(scale))


def test_the_widest_range_does_not_overflow():
    largest = torch.finfo(torch.float32).max
    scale, zero_point = of_range(-largest, largest, S8)
    assert scale == pytest.approx(2 * (largest / 255))
    assert zero_point in (-1, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_no_finite_range_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        of_range(bad, 1.0, S8)
    with pytest.raises(ValueError, match="finite"):
        of_range(0.0, bad, S8)


def test_a_range_upside_down_is_refused():
    with pytest.raises(ValueError, match="rmin <= rmax"):
        of_range(1.0, -1.0, S8)


def test_each_slice_has_its_own():
    low, high = torch.tensor([[-1.0, 0.0], [-2.0, -3.0]]), torch.tensor([[1.0, 5.0], [2.0, 3.0]])
    scale, _ = qparams_from_range(low, high, IntGrid(3, signed=True), symmetric=True)
    torch.testing.assert_close(scale, torch.tensor([[1 / 3, 5 / 3], [2 / 3, 1.0]]))
