"""Values that a setting cannot have are refused with the key and the allowed ones."""

import pytest

from qat.base.allowed import above_zero, one_of
from qat.base.errors import RequestError


def test_an_allowed_word_passes_and_another_is_refused_with_the_list_and_the_nearest():
    one_of("mode", "qat", iter(["float", "static", "qat"]))
    expected = r"^mode must be one of float, static, qat, got 'statik'; did you mean 'static'\?$"
    with pytest.raises(ValueError, match=expected):
        one_of("mode", "statik", iter(["float", "static", "qat"]))


def test_the_class_of_the_error_can_be_chosen():
    with pytest.raises(RequestError, match=r"got 6$"):
        one_of("first_last", 6, ["8"], RequestError)


def refusal(value):
    try:
        above_zero("budget", value)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize("value", [None, 1, 0.5, 1e-300])
def test_numbers_above_zero_and_unset_values_pass(value):
    assert refusal(value) is None


@pytest.mark.parametrize(
    "value", [0, 0.0, -1, float("nan"), float("inf"), True, "3", [1]], ids=repr
)
def test_everything_else_is_refused_with_the_value(value):
    assert refusal(value) == f"budget must be a number above 0, got {value!r}"
