import pytest

from qat.core.grid import IntGrid
from tests.reference.affine import codes_of


@pytest.mark.parametrize("bits", range(2, 17))
@pytest.mark.parametrize(
    ("signed", "narrow"), [(True, False), (True, True), (False, False)], ids=["full", "narrow", "u"]
)
def test_codes_are_those_counted(bits, signed, narrow):
    grid = IntGrid(bits, signed, narrow)
    assert (grid.qmin, grid.qmax) == codes_of(bits, signed, narrow)
    assert grid.levels == len(range(grid.qmin, grid.qmax + 1)) == 2**bits - narrow


def test_narrow_codes_are_symmetric_about_zero():
    grid = IntGrid(3, signed=True, narrow=True)
    assert (grid.qmin, grid.qmax) == (-3, 3)


@pytest.mark.parametrize("bits", [0, 1, 17, 33, -4])
def test_other_widths_are_refused_with_those_allowed(bits):
    with pytest.raises(ValueError, match=f"bits must be 2 to 16, got {bits}"):
        IntGrid(bits, signed=True)


def test_codes_of_one_bit_are_0_and_1():
    assert (IntGrid(1, signed=False).qmin, IntGrid(1, signed=False).qmax) == (0, 1)


def test_an_unsigned_grid_has_nothing_to_narrow():
    with pytest.raises(ValueError, match="narrow grid must be signed"):
        IntGrid(8, signed=False, narrow=True)
