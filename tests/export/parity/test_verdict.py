"""The verdict on a runtime's network: wrong operators fail, ties that spread do not."""

import math

import numpy as np
import pytest

from qat.export.parity.gate import LayerAgreement, LogitAgreement, ParityThresholds, compare_logits
from qat.export.parity.verdict import judge, may_be_ties

GOOD = LogitAgreement(1000, 1.0, 0.0, 1.0, math.inf)


def test_the_gate_passes_at_its_thresholds():
    edge = LogitAgreement(1000, 0.999, 4.0, 0.998, 30.0)
    layers = [LayerAgreement("a", 1.0, 1.0, 0.5)]
    verdict = judge({"off": edge, "on": edge}, ParityThresholds(sqnr_db=30), layers)
    assert (verdict.gate, verdict.reason, verdict.passed) == ("passed", "", True)
    assert verdict.cause == "ties"
    assert judge({"off": GOOD}, ParityThresholds(), []).cause == "equal"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ((0.998, 4.0, 0.998, 30.0), "on: top-1 agreement 0.998, below 0.999"),
        ((0.999, 5.0, 0.998, 30.0), "on: a logit differs by 5 steps, above 4"),
        ((0.999, 4.0, 0.99, 30.0), "on: share of logits within one step 0.99, below 0.998"),
        ((0.999, 4.0, 0.998, 29.5), "on: SQNR in dB 29.5, below 30"),
    ],
)
def test_the_gate_says_what_was_missed(found, reason):
    cases = {"off": GOOD, "on": LogitAgreement(1000, *found)}
    verdict = judge(cases, ParityThresholds(sqnr_db=30))
    assert (verdict.gate, verdict.reason, verdict.passed) == ("failed", reason, False)


def test_the_gate_names_the_layer_and_all_that_was_missed():
    layers = [LayerAgreement("a", 1.0, 1.0, 0.1), LayerAgreement("b", 2.0, 0.9, 0.1)]
    bad = LogitAgreement(10, 0.5, 9.0, 1.0, 3.0)
    found = judge({"off": bad}, ParityThresholds(), layers)
    assert found.cause == "operator"
    assert found.reason == (
        "off: top-1 agreement 0.5, below 0.999; off: a logit differs by 9 steps, above 4; "
        "layer b alone differs by 2 steps, above 1"
    )
    asked_nothing = ParityThresholds(None, None, None, None, None)
    assert judge({"off": bad}, asked_nothing, layers).passed


def test_nothing_compared_is_no_pass():
    with pytest.raises(ValueError, match="nothing to compare"):
        judge({}, ParityThresholds())


CLEAN = [LayerAgreement("a", 1.0, 1.0, 0.001), LayerAgreement("b", 0.0, 1.0, 0.0)]
MISSED = LogitAgreement(1000, 0.985, 9.0, 0.93, 30.0)


@pytest.mark.parametrize(
    ("own", "gate"),
    [
        ((0.984, 8.0, 0.94), "passed"),  # the simulation itself does that
        ((1.0, 8.0, 0.94), "failed"),  # it changes no class, the runtime 15 of 1,000
        ((0.984, 3.0, 0.94), "failed"),  # 9 steps are more than twice 3 and one
        ((0.984, 8.0, 0.98), "failed"),  # 7 % beyond one step, where 2 % are its own
    ],
)
def test_misses_that_the_simulation_shows_too_are_ties(own, gate):
    sensitivity = LogitAgreement(256, *own, 30.0)
    asked = ParityThresholds(0.99, 0.95, 8.0)
    alone = judge({"on": MISSED}, asked, CLEAN)
    assert (alone.gate, alone.cause) == ("failed", "logits")
    assert may_be_ties(alone, asked, CLEAN)
    verdict = judge({"on": MISSED}, asked, CLEAN, sensitivity=sensitivity)
    assert (verdict.gate, verdict.cause) == (gate, "ties" if gate == "passed" else "logits")
    assert "top-1 agreement 0.985, below 0.99" in verdict.reason


def test_a_wrong_operator_fails_at_any_sensitivity_to_ties():
    wrong = [*CLEAN, LayerAgreement("c", 2.0, 0.9, 0.2)]
    verdict = judge({"on": GOOD}, ParityThresholds(), wrong, sensitivity=MISSED)
    assert (verdict.gate, verdict.cause) == ("failed", "operator")
    assert not may_be_ties(verdict, ParityThresholds(), wrong)


def test_ties_pass_only_if_they_are_allowed_and_layers_were_compared():
    failed = judge({"on": MISSED}, ParityThresholds(), CLEAN)
    assert not may_be_ties(failed, ParityThresholds(allow_ties=False), CLEAN)
    assert not may_be_ties(failed, ParityThresholds(), [])
    assert not may_be_ties(failed, ParityThresholds(layer_steps=None), CLEAN)


def test_ties_do_not_excuse_a_missed_sqnr():
    asked = ParityThresholds(0.9, 0.9, 20.0, sqnr_db=40)
    assert not judge({"on": MISSED}, asked, CLEAN, sensitivity=MISSED).passed


def test_what_is_not_finite_passes_no_gate():
    codes = np.arange(12.0).reshape(4, 3)
    broken = codes.copy()
    broken[0, 0] = math.nan
    found = compare_logits(codes, broken, 1)
    assert not judge({"on": found}, ParityThresholds()).passed
    assert not judge({"on": found}, ParityThresholds(), CLEAN, sensitivity=GOOD).passed


def test_clamped_biases_fail_although_all_outputs_agree():
    same = {"off": LogitAgreement(10, 1.0, 0.0, 1.0, math.inf)}
    assert judge(same, ParityThresholds()).passed
    verdict = judge(same, ParityThresholds(), saturated={"conv": 4})
    assert (verdict.gate, verdict.cause) == ("failed", "biases")
    assert verdict.reason == "layer conv: 4 biases do not fit 32 bits and are clamped"
