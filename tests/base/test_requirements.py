import pytest

from qat.base.errors import QatError
from qat.base.requirements import RequirementError, check_requirements

EVEN = {"be even": lambda number: number % 2 == 0, "be small": lambda number: number < 10}


def test_all_requirements_are_checked_in_all_cases():
    report = check_requirements("numbers", [2, 8], EVEN, {"a": "odd", "b": "odd", "c": "none"})
    assert str(report).splitlines() == [
        "numbers meets 2 requirements in 2 cases:",
        "  it must be even",
        "  it must be small",
        "it refuses 2 cases: odd",
        "it refuses 1 case: none",
    ]


@pytest.mark.parametrize(("cases", "words"), [([2, 3], "3: it must be even"), ([12], "be small")])
def test_the_message_names_the_case_and_the_requirement(cases, words):
    with pytest.raises(AssertionError, match=f"^numbers, .*{words}$"):
        check_requirements("numbers", cases, EVEN, {})


def test_an_error_of_the_method_is_named_and_kept():
    with pytest.raises(QatError, match="x: it must be even, but raised TypeError: not all") as info:
        check_requirements("words", ["x"], EVEN, {})
    assert isinstance(info.value.__cause__, TypeError)


def test_a_method_that_refuses_everything_is_not_checked():
    with pytest.raises(RequirementError, match="it: it refuses every case: no bits; no scale"):
        check_requirements("it", [], EVEN, {"a": "no bits", "b": "no bits", "c": "no scale"})
    with pytest.raises(RequirementError, match="there is none"):
        check_requirements("it", [], EVEN, {})
