"""Pools against torch's, on exact values."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from qat.export.program import Step
from qat.export.reference.pools import max_pool
from qat.export.reference.run import compute
from qat.graph.operations import UnsupportedOperationError
from tests.export.integer_networks import calibrated, read_program
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


def pooled(pool, size):
    """Codes that the reference gives, torch's values of the same codes, and their format."""
    x = torch.randn(2, 3, *size)
    program = read_program(calibrated(nn.Sequential(pool, nn.Conv2d(3, 2, 1)), x=x), x)
    step = program.steps[1]
    before, after = program.formats["input"], program.formats["0"]
    codes = np.random.default_rng(0).integers(0, 256, x.shape)
    exact = (codes - before.zero_point) * np.float64(before.scale)
    return compute(program, step, [codes]), pool(torch.from_numpy(exact)).numpy(), after


@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize("ceil_mode", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), WINDOWS)
def test_averages(kernel, stride, padding, size, ceil_mode, include):
    if (ceil_mode, include, padding) == (True, True, (1, 0)):  # its last window reaches beyond
        with pytest.raises(UnsupportedOperationError, match="ceil_mode and count_include_pad"):
            pooled(nn.AvgPool2d(kernel, stride, padding, ceil_mode, include), size)
        return
    found, wanted, form = pooled(nn.AvgPool2d(kernel, stride, padding, ceil_mode, include), size)
    assert_nearest(found, wanted, form, beyond=1e-4)


@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("ceil_mode", [True, False])
@pytest.mark.parametrize(("kernel", "stride", "padding", "size"), WINDOWS)
def test_maxima_are_codes_of_the_input(kernel, stride, padding, size, ceil_mode, dilation):
    pool = nn.MaxPool2d(kernel, stride, padding, dilation, ceil_mode=ceil_mode)
    found, wanted, form = pooled(pool, size)
    assert np.array_equal(found, np.rint(wanted / np.float64(form.scale)) + form.zero_point)


def test_padding_that_counts_by_hand():
    same = form(1.0, 0)
    attributes = {
        "kernel": (1, 2),
        "stride": (1, 2),
        "padding": ((0, 0), (1, 0)),
        "dilation": (1, 1),
    }
    row = np.array([[[[8, 6, 2]]]])
    for include, by_hand in [(True, [4, 4]), (False, [8, 4])]:
        more = attributes | {"count_include_pad": include}
        assert run("avg_pool", [row], [same, same], more).tolist() == [[[by_hand]]]


def test_maxima_below_zero_are_no_padding():
    attributes = {
        "kernel": (3, 3),
        "stride": (2, 2),
        "padding": ((1, 1), (1, 1)),
        "dilation": (1, 1),
    }
    step = Step("pool", "max_pool", ("x",), "y", attributes)
    found = max_pool(step, [np.full((1, 1, 4, 4), -7)])
    assert found.tolist() == [[[[-7, -7], [-7, -7]]]]


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
