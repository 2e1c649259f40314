"""Widths before the scheme's own: which are refused, before anything is computed."""

import re

import pytest

from qat.config.checks.aids import check_aids
from qat.config.checks.combinations import check_config
from qat.config.compose import compose_points


def config(*words):
    return compose_points([*words], False)[0].config


W2A2 = ("mode=qat", "scheme=w2a2")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*W2A2, "aids.progressive_bits=[3,4]"), "widths of 2 to 16 bits that fall, such as [4,3]"),
        ((*W2A2, "aids.progressive_bits=[4,4]"), "that fall, such as [4,3], got [4,4]"),
        ((*W2A2, "aids.progressive_bits=[32,4]"), "aids.progressive_bits must be 2 to 16"),
        ((*W2A2, "aids.progressive_bits=[4,2]"), "ends at 2 bits, which are no more than"),
        (
            (*W2A2, "aids.progressive_bits=[4]", "quantizer@scheme.weight=ternary"),
            "needs 4 bits in scheme.weight; bits=4 (ternary has bits=2)",
        ),
        (
            (*W2A2, "aids.progressive_bits=[4,3]", "ptq=[fold,gptq]"),
            "would undo ptq=gptq, which rounds weights of that width",
        ),
        (
            (
                *W2A2,
                "aids.progressive_bits=[4]",
                "scheme.rules=[{match: a, weight: {quantizer: ternary}}]",
            ),
            "needs 4 bits in scheme.rules[0].weight; bits=4 (ternary has bits=2): leave "
            "aids.progressive_bits out, or take scheme.rules[0].weight.quantizer=lsq",
        ),
        (
            ("mode=qat", "scheme=fp16", "aids.progressive_bits=[4]"),
            "the scheme has no integer codes to lower; leave it out",
        ),
        (
            (
                "mode=mixed",
                "mixed.then=qat",
                "sensitivity.widths=[3,4]",
                "aids.progressive_bits=[3]",
            ),
            "no more than the scheme's 3",
        ),
    ],
)
def test_widths_that_lower_nothing_are_refused(words, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_config(config(*words))


@pytest.mark.parametrize("name", ["dampening", "freeze_first", "bin_regularization"])
@pytest.mark.parametrize("method", ["sawb", "qil", "apot"])
def test_terms_on_bins_are_refused_for_weights_without_plain_bins(name, method):
    words = (*W2A2, f"quantizer@scheme.weight={method}", f"aids.{name}=0.1")
    with pytest.raises(ValueError, match=f"aids.{name}=0.1 works on .* of {method} are not"):
        check_config(config(*words))
    check_config(config(*W2A2, f"aids.{name}=0.1"))


def test_the_cure_for_weights_without_codes_is_a_scheme_with_codes():
    with pytest.raises(ValueError, match=r"those of fp16 of 16 bits are not: .* scheme=w4a4"):
        check_config(config("mode=qat", "scheme=fp16", "aids.dampening=0.1"))


def test_terms_on_bins_look_at_rules_too():
    term, weight = "aids.dampening=0.1", "scheme.rules=[{match: a, weight: {%s}}]"
    check_aids(config("mode=qat", "scheme=fp16", term, weight % "format: int, bits: 4"))
    with pytest.raises(ValueError, match="works on weights that are rounded"):
        check_aids(config("mode=qat", "scheme=fp16", term, weight % "format: bf16"))
    sawb = (*W2A2, "quantizer@scheme.weight=sawb", term)
    check_aids(config(*sawb, weight % "quantizer: lsq"))
    with pytest.raises(ValueError, match="of sawb are not"):
        check_aids(config(*sawb, weight % "bits: 3"))


def test_a_rule_with_fewer_bits_is_lowered_too():
    rule = "scheme.rules=[{match: a, weight: {bits: 2}}]"
    check_aids(config("mode=qat", "scheme=w4a4", "aids.progressive_bits=[4]", rule))
    with pytest.raises(ValueError, match="no more than the scheme's 4"):
        check_aids(config("mode=qat", "scheme=w4a4", "aids.progressive_bits=[4]"))


def test_widths_above_those_of_the_scheme_are_allowed():
    allowed = config(*W2A2, "aids.progressive_bits=[4,3]", "ptq=[fold,equalize]")
    check_aids(allowed)
    assert allowed.aids.progressive_bits == [4, 3]
