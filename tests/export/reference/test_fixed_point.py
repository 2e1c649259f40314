"""Multipliers as integers, against exact fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qat.export.reference.fixed_point import FRACTION_BITS, multiplier, rescale

REALS = st.floats(2**-40, 2**20)
SUMS = st.integers(-(2**31), 2**31 - 1)


def half_away(value):
    """The nearest integer, ties away from zero."""
    return floor(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


@given(REALS)
@example(1 - 2.0**-40)  # whose mantissa rounds up to 2^31
@example(1.0)
@example(0.75 * 2.0**-20)
def test_a_multiplier_is_its_mantissa_and_shift(real):
    m0, shift = (int(part) for part in multiplier(real))
    assert 2**30 <= m0 < 2**31
    value = Fraction(m0) / Fraction(2) ** shift
    assert abs(value / Fraction(real) - 1) <= Fraction(1, 2**FRACTION_BITS)


def test_multipliers_by_hand():
    m0, shift = multiplier(np.array([1.0, 0.5, 0.75, 3.0]))
    assert m0.tolist() == [2**30, 2**30, 3 * 2**29, 3 * 2**29]
    assert shift.tolist() == [30, 31, 31, 29]


@given(REALS, SUMS)
@example(0.5, 3)
@example(0.5, -3)
@example(1.999 * 2.0**-40, 2**31 - 1)
def test_rescaling_rounds_the_exact_product(real, total):
    m0, shift = multiplier(real)
    exact = Fraction(total) * Fraction(int(m0)) / Fraction(2) ** int(shift)
    found = rescale(np.array([total]), m0, shift)
    assert found.tolist() == [half_away(exact)]


@given(REALS, SUMS)
def test_rescaling_is_a_step_from_the_real_product_at_most(real, total):
    found = int(rescale(np.array([total]), *multiplier(real))[0])
    exact = Fraction(total) * Fraction(real)
    assert abs(found - exact) <= Fraction(1, 2) + abs(exact) / 2**FRACTION_BITS


@pytest.mark.parametrize("total", [1, -1, 1000])
def test_multipliers_beyond_the_shift_saturate_or_vanish(total):
    huge = int(rescale(np.array([total]), *multiplier(2.0**45))[0])
    assert huge * total >= 2**20  # beyond all codes
    assert rescale(np.array([total]), *multiplier(2.0**-60)).tolist() == [0]


def test_each_channel_has_its_own():
    m0, shift = multiplier(np.array([0.5, 0.25, 2.0]).reshape(1, 3, 1))
    found = rescale(np.full((2, 3, 4), 10), m0, shift)
    assert found[1, :, 2].tolist() == [5, 3, 20]
