"""Observers by name, by target, and with options."""

import pytest

from qat.core.scheme import Method
from qat.observers.registry import OBSERVERS, make_observer


@pytest.mark.parametrize("name", OBSERVERS)
def test_each_name_has_a_class_of_that_name(name):
    """``mean_abs`` is MeanAbsObserver."""
    observer_class = type(make_observer(Method(name), 1)).__name__
    assert observer_class.lower() == f"{name.replace('_', '')}observer"


def test_an_option_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="ema has no option 'momentun'; it takes momentum"):
        make_observer(Method("ema", options={"momentun": 0.1}), 1)


def test_an_unknown_name_is_refused_with_the_list():
    with pytest.raises(KeyError, match="no observer 'kl'; there are minmax, ema"):
        make_observer(Method("kl"), 1)


def test_a_class_of_the_users_comes_in_by_target():
    observer = make_observer(Method("user", "qat.observers.ema:EMAObserver", {"momentum": 1.0}), 2)
    assert observer.momentum == 1.0
    with pytest.raises(ValueError, match="is not a subclass"):
        make_observer(Method("user", "fractions:Fraction"), 2)
