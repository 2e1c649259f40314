"""Classes of methods by name or target, with their options checked."""

from fractions import Fraction

import pytest

from qat.core.scheme import Method
from qat.core.target import class_of


class Base:
    def __init__(self, slices):
        self.slices = slices


class Known(Base):
    def __init__(self, slices, momentum=0.1):
        super().__init__(slices)


def resolved(method):
    return class_of(method, {"known": Known}, Base, required=("slices",))


def test_a_name_and_its_options():
    assert resolved(Method("known", options={"momentum": 0.5})) is Known


def test_an_unknown_name_is_refused_with_all_names():
    with pytest.raises(KeyError, match=r"^no base 'unknown'; there are known, user$"):
        resolved(Method("unknown"))


@pytest.mark.parametrize("option", ["momentun", "slices"])
def test_an_option_the_constructor_lacks_or_gets_anyway_is_refused(option):
    with pytest.raises(ValueError, match=f"known has no option '{option}'; it takes momentum"):
        resolved(Method("known", options={option: 1}))


def test_a_target_must_be_a_subclass(tmp_path, monkeypatch):
    method = Method("user", "fractions:Fraction")
    with pytest.raises(ValueError, match=r"fractions:Fraction is not a subclass of .*\.Base$"):
        resolved(method)
    assert class_of(method, {}, object, required=("numerator",)) is Fraction
    with pytest.raises(ValueError, match="not a subclass"):  # a function is no class
        resolved(Method("user", "math:gcd"))
