"""Formats and weights of integer programs, by hand."""

import numpy as np

from qat.export.program import Program, Step
from tests.export.reference.programs import form, weight


def test_codes_are_rounded_half_to_even_and_clipped():
    unit = form(2.0, 3, qmin=1, qmax=9)
    # 1 and 3 are half-way between two codes: 0.5 -> 0, 1.5 -> 2
    codes = unit.encode(np.array([0.0, 1.0, 3.0, 5.2, -100.0, 100.0]))
    assert codes.tolist() == [3, 3, 5, 6, 1, 9]
    assert codes.dtype == np.int32
    assert unit.decode(codes).tolist() == [0.0, 0.0, 4.0, 6.0, -4.0, 12.0]


def test_every_code_survives_a_round_trip():
    eighth = form(0.125, 128)
    codes = np.arange(256)
    assert eighth.encode(eighth.decode(codes)).tolist() == codes.tolist()


def test_a_weight_has_a_scale_and_a_zero_point_for_each_output_channel():
    kernel = weight([[[[1, 2]]], [[[3, -1]]]], [0.5, 2.0], [0, 1])
    assert kernel.values().tolist() == [[[[0.5, 1.0]]], [[[4.0, -4.0]]]]
    assert weight([[1, 2], [3, 4]], 0.25).values().tolist() == [[0.25, 0.5], [0.75, 1.0]]


def test_layers_are_the_steps_with_a_weight():
    steps = (
        Step("input", "quantize", ("input",), "input"),
        Step("fc", "linear", ("input",), "fc", weight=weight([[1]], 1.0)),
        Step("relu", "relu", ("fc",), "relu"),
    )
    program = Program("net", (1,), (1,), "relu", steps, {}, {})
    assert [step.name for step in program.layers()] == ["fc"]
    assert (steps[0].low, steps[0].high) == (0, 255)
