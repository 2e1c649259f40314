"""Values of options of quantizers, before anything is computed."""

import pytest

from qat.config.checks.method_options import VALUES, check_options
from qat.config.checks.methods import check_methods
from qat.config.schema import RuleConfig
from qat.core.scheme import Method
from qat.quantizers.declared import DECLARED


@pytest.mark.parametrize(
    ("name", "option", "right", "wrong", "allowed"),
    [
        ("pact", "decay", ["weights", 0, 0.5, 100], ["none", -1, 101, True], "weights or 0 to 100"),
        ("ewgs", "delta", [0, 0.001, 10], [-0.1, "a", 11, None], "0 to 10"),
        ("tqt", "start", ["auto", "mse"], ["zero", 3], "auto, paper, mse or observer"),
        ("dorefa", "output", ["float", "unit"], ["int"], "float or unit"),
    ],
)
def test_values(name, option, right, wrong, allowed):
    for value in right:
        check_options("scheme.act", Method(name, options={option: value}))
    for value in wrong:
        message = f"scheme.act.options.{option} must be {allowed}, got "
        with pytest.raises(ValueError, match=message):
            check_options("scheme.act", Method(name, options={option: value}))


def test_slots_and_rules_are_checked(config):
    act = {"mode": "qat", "scheme.act.quantizer": "pact"}
    with pytest.raises(ValueError, match=r"scheme\.act\.options\.decay must be"):
        check_methods(config(act | {"scheme.act.options": {"decay": -1}}))
    rule = RuleConfig(match="fc", act={"quantizer": {"name": "ewgs", "options": {"delta": 99}}})
    with pytest.raises(ValueError, match=r"rules\[0\]\.act\.quantizer\.options\.delta must be"):
        check_methods(config({"mode": "qat", "scheme.rules": [rule]}))


def test_every_option_that_is_listed_exists():
    for name, options in VALUES.items():
        assert set(options) <= set(DECLARED[name].options)


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("apot", "start", "zero", "options.start must be mse or paper, got 'zero'"),
        ("apot", "standardize", 1, "options.standardize must be false or true, got 1"),
        ("dsq", "alpha", 0.0, r"options.alpha must be 0.001 to 0.9, got 0.0"),
        ("qil", "learn_gamma", "yes", "options.learn_gamma must be false or true, got 'yes'"),
        ("parq", "steepness", 0, "options.steepness must be above 0, at most 100, got 0"),
        ("parq", "end", 2, "options.end must be above 0, at most 1, got 2"),
    ],
)
def test_values_of_other_methods_are_refused(name, option, value, message):
    with pytest.raises(ValueError, match=message):
        check_options("scheme.act", Method(name, options={option: value}))
