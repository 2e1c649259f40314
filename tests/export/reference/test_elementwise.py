"""Sums, products and functions of stored tensors, against exact values."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from qat.export.reference.elementwise import FUNCTIONS
from tests.export.reference.programs import assert_nearest, form, real, run

EVERY = np.arange(256)
PAIRS = np.stack(np.meshgrid(EVERY[::15], EVERY[::17]), -1).reshape(-1, 2).T
SCALES = st.floats(2.0**-13, 10, width=32)
ZEROS = st.integers(0, 255)


@st.composite
def formats(draw, count):
    return [form(draw(SCALES), draw(ZEROS)) for _ in range(count)]


@given(formats(3))
def test_sums_of_differing_scales(three):
    a, b, out = three
    exact = real(PAIRS[0], a) + real(PAIRS[1], b)
    # Each term is rounded to 2^-20 of a step, and to 2^-31 of itself.
    largest = max(float(a.scale), float(b.scale)) * 255 / float(out.scale)
    assert_nearest(run("add", PAIRS, three), exact, out, beyond=2.0**-19 + largest * 2.0**-30)


@given(formats(3))
def test_products_of_differing_scales(three):
    a, b, out = three
    exact = real(PAIRS[0], a) * real(PAIRS[1], b)
    assert_nearest(run("mul", PAIRS, three), exact, out)


@given(formats(2))
def test_the_same_values_in_another_format(two):
    assert_nearest(run("quantize", [EVERY], two), real(EVERY, two[0]), two[1])


def test_sums_by_hand():
    # (10 - 4) * 0.5 + (9 - 8) * 0.25 = 3.25, which is 6.5 steps of 0.5 and rounds away from zero.
    three = [form(0.5, 4), form(0.25, 8), form(0.5, 100)]
    assert run("add", [[10, -2 + 4], [9, 8 - 1]], three).tolist() == [107, 97]  # 6.5 and -2.5
    # (10 - 4) * 0.5 * (9 - 8) * 0.25 = 0.75 = 1.5 steps
    assert run("mul", [[10], [9]], three).tolist() == [102]


def test_a_broadcast_product():
    """As squeeze and excitation scales planes."""
    three = [form(0.5, 0), form(0.5, 0), form(0.25, 0)]
    x, gate = np.full((2, 3, 4, 4), 6), np.arange(6).reshape(2, 3, 1, 1)
    found = run("mul", [x, gate], three)
    assert found[:, :, 1, 2].tolist() == [[0, 6, 12], [18, 24, 30]]


def test_sums_saturate():
    three = [form(1.0, 0), form(1.0, 0), form(0.5, 10, qmin=4, qmax=100)]
    assert run("add", [[255], [255]], three).tolist() == [100]


ORACLES = {
    "relu": (F.relu, {}),
    "relu6": (F.relu6, {}),
    "sigmoid": (torch.sigmoid, {}),
    "silu": (F.silu, {}),
    "hardsigmoid": (F.hardsigmoid, {}),
    "hardswish": (F.hardswish, {}),
    "tanh": (torch.tanh, {}),
    "gelu": (F.gelu, {"approximate": "none"}),
    "gelu of tanh": (lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"}),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), {"negative_slope": 0.2}),
    "elu": (lambda x: F.elu(x, 1.5), {"alpha": 1.5}),
}


def test_every_function_has_an_oracle():
    assert {name.split()[0] for name in ORACLES} == FUNCTIONS.keys()


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("scale", [0.1, 0.004])
def test_functions_are_torchs(name, scale):
    function, attributes = ORACLES[name]
    given, out = form(scale, 120), form(scale, 30)
    wanted = function(torch.from_numpy(given.decode(EVERY)).double()).numpy()
    assert_nearest(run(name.split()[0], [EVERY], [given, out], attributes), wanted, out)
