"""Pools against torch's, on exact values."""

from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.export.reference.programs import assert_nearest, form, real, run

RANDOM = np.random.default_rng(0)
GIVEN = form(0.25, 100)
WINDOWS = [
    # kernel, stride, padding, size
    ((2, 2), (2, 2), (0, 0), (8, 8)),
    ((3, 2), (2, 1), (1, 1), (7, 6)),
    ((3, 3), (2, 2), (0, 0), (8, 6)),
    ((3, 3), (2, 3), (1, 0), (8, 9)),
    ((2, 2), (3, 3), (1, 1), (5, 7)),  # with ceil_mode a window would begin in the padding
]


def codes(size):
    return RANDOM.integers(0, 256, (2, 3, *size))


def values(x):
    return torch.from_numpy((x - GIVEN.zero_point) * 0.25)


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("ceil_mode", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), WINDOWS)
def test_averages(kernel, stride, padding, size, ceil_mode, include):
    x, out = codes(size), form(0.3, 90)
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": ceil_mode,
        "count_include_pad": include,
    }
    found = run("avg_pool", [x], [GIVEN, out], attributes)
    wanted = F.avg_pool2d(values(x), kernel, stride, padding, ceil_mode, include)
    assert_nearest(found, wanted.numpy(), out)


@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("ceil_mode", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), WINDOWS)
def test_maxima_are_codes_of_the_input(kernel, stride, padding, size, ceil_mode, dilation):
    x = codes(size)
    attributes = {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "ceil_mode": ceil_mode,
        "dilation": dilation,
    }
    found = run("max_pool", [x], [GIVEN, GIVEN], attributes)
    wanted = F.max_pool2d(values(x), kernel, stride, padding, dilation, ceil_mode)
    assert np.array_equal(found, wanted.numpy() / 0.25 + GIVEN.zero_point)


def test_maxima_below_zero_are_no_padding():
    attributes = {
        "kernel": (3, 3),
        "stride": (2, 2),
        "padding": (1, 1),
        "ceil_mode": False,
        "dilation": (1, 1),
    }
    found = run("max_pool", [np.full((1, 1, 4, 4), 7)], [GIVEN, GIVEN], attributes)
    assert found.tolist() == [[[[7, 7], [7, 7]]]]


@pytest.mark.parametrize("keepdim", [True, False])
def test_means_of_whole_planes(keepdim):
    x, out = codes((5, 7)), form(0.01, 40)
    exact = real(x, GIVEN).sum(axis=(2, 3), keepdims=keepdim) / Fraction(35)
    found = run("global_avg_pool", [x], [GIVEN, out], {"keepdim": keepdim})
    assert found.shape == ((2, 3, 1, 1) if keepdim else (2, 3))
    assert_nearest(found, exact, out)


def test_a_mean_by_hand():
    # Codes 3, 4, 4, 4 in one scale: 3.75 rounds to 4; ties go away from zero point.
    same = form(1.0, 0)
    for row, by_hand in [([3, 4, 4, 4], 4), ([3, 4, 3, 4], 4), ([3, 3, 3, 4], 3)]:
        plane = np.array(row).reshape(1, 1, 2, 2)
        assert run("global_avg_pool", [plane], [same, same], {"keepdim": False}) == by_hand
