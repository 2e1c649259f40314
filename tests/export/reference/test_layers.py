"""Convolutions and matrix products against sums written as loops."""

from fractions import Fraction

import numpy as np
import pytest

from qat.export.program import Step
from qat.export.reference.layers import accumulate
from tests.export.reference.programs import assert_nearest, form, program, run, weight

RANDOM = np.random.default_rng(0)


def by_loops(x, kernel, bias, stride, padding, dilation, groups):
    """The sum of products of each output, one at a time, in python's integers."""
    (top, bottom), (left, right) = padding
    out, per_group, kh, kw = kernel.shape
    n, _, height, width = x.shape
    rows = (height + top + bottom - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    columns = (width + left + right - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, out, rows, columns), object)
    for image, o, r, c in np.ndindex(*y.shape):
        first = o // (out // groups) * per_group
        total = int(bias[o])
        for i, u, v in np.ndindex(per_group, kh, kw):
            row = r * stride[0] + u * dilation[0] - top
            column = c * stride[1] + v * dilation[1] - left
            if 0 <= row < height and 0 <= column < width:
                total += int(x[image, first + i, row, column]) * int(kernel[o, i, u, v])
        y[image, o, r, c] = total
    return y


CONVOLUTIONS = {
    "plain": ((4, 3, 3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1),
    "strided and padded": ((4, 3, 3, 2), (2, 1), ((1, 1), (2, 2)), (1, 1), 1),
    "padded unevenly": ((4, 3, 2, 2), (1, 1), ((0, 1), (1, 0)), (1, 1), 1),
    "dilated": ((4, 3, 2, 3), (1, 2), ((2, 2), (1, 1)), (3, 2), 1),
    "grouped": ((4, 2, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
    "depthwise": ((6, 1, 3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 3),
}


@pytest.mark.parametrize("zero_points", [0, (3, -5)], ids=["symmetric", "asymmetric"])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolutions(case, zero_points):
    size, stride, padding, dilation, groups = CONVOLUTIONS[case]
    channels = size[1] * groups
    x = RANDOM.integers(0, 256, (2, channels, 7, 6))
    zeros = np.resize(zero_points, size[0])
    kernel = weight(RANDOM.integers(-128, 128, size), RANDOM.uniform(1e-3, 1e-2, size[0]), zeros)
    bias = RANDOM.integers(-(10**5), 10**5, size[0]).astype(np.int32)
    given, out = form(0.02, 128), form(0.3, 100)
    attributes = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    centred = kernel.codes - zeros.reshape(-1, 1, 1, 1)
    sums = by_loops(x - 128, centred, bias, stride, padding, dilation, groups)
    step = Step("step", "conv", ("x",), "y", attributes, kernel, bias)
    assert np.array_equal(accumulate(step, x, given), sums)
    # The unit of a sum is s_x * s_w, rounded to a single float.
    units = [Fraction(float(u)) for u in given.scale * kernel.scale]
    exact = sums * np.array(units, object).reshape(1, -1, 1, 1)
    found = run("conv", [x], [given, out], attributes, weight=kernel, bias=bias)
    assert_nearest(found, exact, out)
    assert len(np.unique(found)) > 20


@pytest.mark.parametrize("per_channel", [True, False])
def test_linear_layers(per_channel):
    x = RANDOM.integers(0, 256, (5, 12))
    scale = RANDOM.uniform(1e-3, 1e-2, 7 if per_channel else 1)
    kernel = weight(RANDOM.integers(-128, 128, (7, 12)), scale)
    bias = RANDOM.integers(-(10**4), 10**4, 7).astype(np.int32)
    given, out = form(0.02, 10), form(0.3, 128)
    sums = np.zeros((5, 7), object)
    for row, o in np.ndindex(5, 7):
        products = [(int(x[row, i]) - 10) * int(kernel.codes[o, i]) for i in range(12)]
        sums[row, o] = int(bias[o]) + sum(products)
    units = np.array([Fraction(float(u)) for u in given.scale * kernel.scale], object)
    found = run("linear", [x], [given, out], weight=kernel, bias=bias)
    assert_nearest(found, sums * units, out)


def test_by_hand():
    # (12 - 10) * 3 + (9 - 10) * -2 + 4 = 12 steps of 0.1 * 0.5, which is 3 steps of 0.2
    kernel = weight([[3, -2]], 0.5)
    bias = np.array([4], np.int32)
    given, out = form(0.1, 10), form(0.2, 7)
    assert run("linear", [[[12, 9]]], [given, out], weight=kernel, bias=bias).tolist() == [[10]]


def test_codes_saturate_at_the_bounds_of_the_step():
    kernel = weight([[127], [-127]], 1.0)
    formats = [form(1.0), form(0.1, 128)]
    found = run("linear", [[[255]]], formats, weight=kernel, bias=None, low=128, high=200)
    assert found.tolist() == [[200, 128]]


def test_sums_of_thousands_of_products_are_exact():
    """Their last bit would be lost in single floats."""
    kernel = weight(np.full((1, 4099), 127), 1.0)
    step = Step("step", "linear", ("x",), "y", {}, kernel)
    x = np.full((1, 4099), 255)
    x[0, 0] = 254
    formats = [form(1.0), form(1.0)]
    assert program(step, formats).formats["x"] is formats[0]
    assert accumulate(step, x, formats[0]).tolist() == [[127 * (255 * 4099 - 1)]]
