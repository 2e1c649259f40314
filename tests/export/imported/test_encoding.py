"""Codes of a file on the grids of this project; every value stays the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qat.base.errors import InputError
from qat.core.scheme import TensorSpec
from qat.export.imported.encoding import Encoding, check_scales, encoding, half_float


@pytest.mark.parametrize(
    ("qmin", "qmax", "zero", "expected"),
    [
        (-128, 127, 0, (8, True, True, False, 0)),
        (0, 255, 0, (8, False, True, False, 0)),
        (0, 255, 128, (8, True, True, False, 0)),
        (0, 255, 3, (8, False, False, False, 3)),
        (-128, 127, -128, (8, False, True, False, 0)),
        (-128, 127, 5, (8, True, False, False, 5)),
        (-127, 127, 0, (8, True, True, True, 0)),
        (0, 254, 127, (8, True, True, True, 0)),
        (-8, 7, 0, (4, True, True, False, 0)),
        (120, 135, 128, (4, True, True, False, 0)),
        (0, 7, 0, (3, False, True, False, 0)),
        (-32768, 32767, 0, (16, True, True, False, 0)),
        (-1, 1, 0, (2, True, True, True, 0)),
    ],
)
def test_the_grid_is_that_of_the_codes(qmin, qmax, zero, expected):
    one = encoding(qmin, qmax, [0.5], [zero])
    assert (one.bits, one.signed, one.symmetric, one.narrow, *one.zero_point) == expected


@settings(max_examples=40)
@given(st.integers(2, 16), st.integers(-300, 300), st.data())
def test_every_value_stays_the_same(bits, qmin, data):
    """Oracle: the values of all codes of the file, and of all codes of the grid."""
    qmax = qmin + 2**bits - 1
    zero = data.draw(st.integers(qmin, qmax))
    one = encoding(qmin, qmax, [0.25], [zero])
    grid = one.spec(TensorSpec()).grid()
    ends = np.array([qmin, qmax]) - zero
    assert [grid.qmin - one.zero_point[0], grid.qmax - one.zero_point[0]] == ends.tolist()


def test_one_zero_point_belongs_to_all_scales():
    assert encoding(-8, 7, [0.1, 0.2], [0]).zero_point == (0, 0)
    with pytest.raises(InputError, match=r"has 3 scales and 2 zero points"):
        encoding(-8, 7, [0.1, 0.2, 0.3], [0, 0])


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 0, 0.0, -1.0, None, "0.1", True])
def test_a_scale_must_be_a_positive_number(wrong):
    with pytest.raises(InputError, match=r"a scale is a finite number above 0"):
        check_scales([0.5, wrong])
    with pytest.raises(InputError, match=r"has no scale"):
        check_scales([])


def test_a_scale_must_be_one_of_float32():
    with pytest.raises(InputError, match=r"no normal number of float32"):
        check_scales([1e-39])
    with pytest.raises(InputError, match=r"no normal number of float32"):
        check_scales([1e39])


@pytest.mark.parametrize(
    ("qmin", "qmax", "zero", "reason"),
    [
        (0, 255, 256, "zero point 256 outside its codes 0 to 255"),
        (0, 200, 0, "codes 0 to 200, which are not the codes of 2 to 16 bits"),
        (0, 1, 0, "codes 0 to 1"),
        (0, 2**17 - 1, 0, "codes 0 to 131071"),
    ],
)
def test_codes_that_no_grid_has_are_refused(qmin, qmax, zero, reason):
    with pytest.raises(InputError, match=reason):
        encoding(qmin, qmax, [0.5], [zero])


def test_the_number_of_scales_decides_the_granularity():
    usual = TensorSpec()
    assert encoding(-8, 7, [0.1], [0]).spec(usual, 4).granularity == "tensor"
    assert encoding(-8, 7, [0.1] * 4, [0]).spec(usual, 4).granularity == "channel"
    grouped = encoding(-8, 7, [0.1] * 8, [0], group_size=16).spec(usual, 4)
    assert (grouped.granularity, grouped.group_size) == ("group", 16)


def test_a_half_float_has_no_codes():
    spec = half_float().spec(TensorSpec(granularity="channel"))
    assert (spec.format, spec.granularity, spec.stored_bits) == ("fp16", "tensor", 16)
    assert half_float() == Encoding(bits=16, half=True)
