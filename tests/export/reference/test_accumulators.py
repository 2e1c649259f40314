"""How wide the sums of a layer are, against every corner of its inputs."""

from itertools import product

import numpy as np
import pytest

from qat.export.program import Program, Step
from qat.export.reference.accumulators import Accumulator, accumulators
from qat.export.reference.layers import accumulate
from tests.export.integer_networks import Residual, calibrated, images, read_program, scheme
from tests.export.reference.programs import form, weight

RANDOM = np.random.default_rng(3)


def one_layer(step, given):
    image = Step("input", "quantize", ("input",), "input", {}, low=given.qmin, high=given.qmax)
    formats = {"input": given, "y": form(1.0)}
    return Program("one", (step.weight.codes.shape[1],), (), "y", (image, step), formats, {})


@pytest.mark.parametrize(
    "given",
    [form(1.0, 0), form(1.0, 128), form(1.0, 37, qmin=32, qmax=47), form(1.0, 255)],
    ids=["unsigned", "signed", "narrow", "negative"],
)
@pytest.mark.parametrize("zeros", [0, 5])
def test_the_worst_case_is_a_corner(given, zeros):
    kernel = weight(RANDOM.integers(-128, 128, (3, 6)), np.ones(3), np.full(3, zeros))
    bias = np.array([5000, -90000, 0], np.int32)
    step = Step("layer", "linear", ("input",), "y", {}, kernel, bias)
    corners = np.array(list(product([given.qmin, given.qmax], repeat=6)))
    largest = int(np.abs(accumulate(step, corners, given)).max())
    (found,) = accumulators(one_layer(step, given), given.decode(corners))
    assert found.worst_bits == found.seen_bits == largest.bit_length() + 1


@pytest.mark.parametrize(
    ("inputs", "bits", "overflows"),
    # 255 * 127 = 32385 fits into 16 signed bits, twice that does not.
    [(1, 16, ()), (2, 17, (16,)), (260, 25, (16, 24)), (66400, 33, (16, 24, 32))],
)
def test_overflows_by_hand(inputs, bits, overflows):
    kernel = weight(np.full((1, inputs), 127), 1.0)
    step = Step("layer", "linear", ("input",), "y", {}, kernel)
    (found,) = accumulators(one_layer(step, form(1.0)), np.zeros((1, inputs), np.float32))
    assert found == Accumulator("layer", bits, 1)
    assert found.overflows == overflows


def test_every_layer_of_a_network_and_what_its_images_reach():
    program = read_program(calibrated(Residual(), scheme(4, 4)), images())
    rows = accumulators(program, images().numpy())
    assert [row.name for row in rows] == ["conv", "second", "head"]
    assert all(1 < row.seen_bits <= row.worst_bits for row in rows)
    # 27 products of 4-bit codes, |x| <= 8, |w| <= 7, plus a bias
    assert rows[0].worst_bits <= 12
