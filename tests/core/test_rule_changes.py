"""The format of one tensor after a rule: by hand."""

import pytest

from qat.core.rule_changes import changed
from qat.core.scheme import Method, TensorSpec


def test_a_width_of_a_rule_switches_a_float_tensor_on():
    assert changed(TensorSpec(format="float"), {"bits": 5}, "*").stored_bits == 5
    assert changed(TensorSpec(bits=32), {"format": "fp16"}, "*").stored_bits == 16
    assert changed(TensorSpec(bits=32), {"format": "mxfp6_e3m2"}, "*").stored_bits == 6
    spec = TensorSpec(bits=3)
    assert changed(spec, {}, "*") is spec


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": 33}, "bits must be 2 to 16"),
        ({"bitz": 4}, r"\['bitz'\] must be among format"),
        ({"format": "fp8_e4m3", "bits": 4}, "bits=4 is not the width of format=fp8_e4m3: leave"),
        (
            {"format": "mxfp4_e2m1", "observer": Method("mse")},
            "mxfp4_e2m1 takes its scales from each block of values and would ignore the observer",
        ),
    ],
)
def test_a_change_that_is_not_possible_names_its_rule(change, message):
    with pytest.raises(ValueError, match=rf"rule 'head': {message}"):
        changed(TensorSpec(), change, "head")
