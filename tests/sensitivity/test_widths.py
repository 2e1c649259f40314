"""Widths and slots of a plan."""

import pytest

from qat.core.plan import LayerPlan, Plan, TensorPlan
from qat.core.scheme import Method, TensorSpec
from qat.sensitivity.widths import (
    at_width,
    check_layers,
    check_widths,
    slots_of,
    spec_of,
    with_bits,
)

LSQ = TensorSpec(bits=8, granularity="channel", quantizer=Method("lsq"))
OFF = TensorSpec(format="float")
PLAN = Plan(
    {
        "conv": LayerPlan("conv", "Conv2d", LSQ, TensorSpec(bits=4), output=TensorSpec()),
        "norm": LayerPlan("norm", "BatchNorm2d", LSQ, TensorSpec()),
        "fc": LayerPlan("fc", "Linear", LSQ, OFF),
    },
    tensors={"conv": TensorPlan("conv", "conv", TensorSpec(bits=8))},
)


def test_widths_are_ascending_and_known():
    assert check_widths([16, 2, 8, 2]) == (2, 8, 16)
    assert check_widths(iter([8]), "integer") == (8,)
    with pytest.raises(ValueError, match="no candidate widths"):
        check_widths([])
    with pytest.raises(ValueError, match=r"among 2, 3, .*32 \(16 is fp16, 32 float\), got 1, 9"):
        check_widths([9, 4, 1])
    with pytest.raises(ValueError, match="2 to 8 bits, got 32; drop that width"):
        check_widths([4, 32], "integer")


def test_a_width_changes_the_format_and_nothing_else():
    assert with_bits(LSQ, 3) == TensorSpec(bits=3, granularity="channel", quantizer=Method("lsq"))
    assert [with_bits(LSQ, bits).stored_bits for bits in (2, 8, 16, 32)] == [2, 8, 16, 32]
    assert with_bits(with_bits(LSQ, 16), 8) == LSQ


def test_slots_are_what_is_quantized():
    assert slots_of(PLAN) == [("conv", "weight"), ("conv", "act"), ("fc", "weight")]
    assert spec_of(PLAN, ("conv", "act")) == TensorSpec(bits=4)


def test_a_plan_at_one_width():
    changed = at_width(PLAN, 2)
    assert {slot: spec_of(changed, slot).bits for slot in slots_of(PLAN)} == dict.fromkeys(
        slots_of(PLAN), 2
    )
    assert changed.layers["fc"].act.is_off
    assert changed.layers["norm"] == PLAN.layers["norm"]
    assert changed.layers["conv"].output is None
    assert changed.tensors["conv"].spec.bits == 2


def test_unknown_layers_are_named():
    check_layers(["fc"], list(PLAN.layers))
    with pytest.raises(KeyError, match="no layer 'a', 'b' in the plan; it has conv, norm, fc"):
        check_layers(["fc", "a", "b", "a"], list(PLAN.layers))
