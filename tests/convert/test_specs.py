"""The format of one tensor after policy and sign: by hand."""

import pytest

from qat.convert.specs import at_end, no_match, signed_act, signed_weight
from qat.core.scheme import TensorSpec


@pytest.mark.parametrize(
    ("spec", "policy", "expected"),
    [
        (TensorSpec(bits=4), 8, ("int", 8)),
        (TensorSpec(bits=4), "same", ("int", 4)),
        (TensorSpec(bits=4), "fp16", ("fp16", 16)),
        (TensorSpec(bits=32), 8, ("float", 32)),
    ],
)
def test_the_format_at_an_end(spec, policy, expected):
    end = at_end(spec, policy)
    assert ("float" if end.is_off else end.format, end.stored_bits) == expected


@pytest.mark.parametrize(
    ("spec", "lowest", "signed"),
    [
        (TensorSpec(), 0.0, False),
        (TensorSpec(), -0.1, True),
        (TensorSpec(symmetric=False), -0.1, False),
        (TensorSpec(narrow=True), 0.0, True),
        (TensorSpec(signed=False), -0.1, False),
        (TensorSpec(signed=True), 0.0, True),
    ],
)
def test_an_open_sign_follows_the_smallest_value(spec, lowest, signed):
    assert signed_act(spec, lowest).signed is signed


def test_a_weight_is_signed_unless_the_scheme_says_otherwise():
    assert signed_weight(TensorSpec()).signed
    assert not signed_weight(TensorSpec(signed=False)).signed


def test_a_rule_that_matches_nothing_lists_the_names():
    message = str(no_match("hed", ["stem", "head"]))
    assert message == "rule 'hed' matches no layer; did you mean 'head'; there are stem, head"
