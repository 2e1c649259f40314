"""Every option of a quantizer has its values, and others are refused."""

import pytest

from qat.config.checks.quantizer_options import OPTIONS, check_options
from qat.quantizers.declared import DECLARED


def test_the_options_exist():
    assert {name for name, _ in OPTIONS} <= set(DECLARED)
    for name, option in OPTIONS:
        assert option in DECLARED[name].options


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
def test_other_values_are_refused(name, option, value, message):
    with pytest.raises(ValueError, match=message):
        check_options("options", name, {option: value})


def test_allowed_values_and_methods_without_limits_pass():
    check_options("options", "apot", {"start": "paper", "standardize": True})
    check_options("options", "parq", {"steepness": 10, "end": 1})
    check_options("options", "mine", {"anything": -1})
