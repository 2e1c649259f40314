"""Classes that break one requirement each; the check names that one."""

import re

import pytest
import torch

from qat.base.errors import InputError
from qat.base.requirements import RequirementError
from qat.observers.base import Observer
from qat.observers.minmax import MinMaxObserver
from qat.observers.registry import OBSERVERS
from qat.observers.requirements import REQUIREMENTS, check_observer


class AlwaysSeen(MinMaxObserver):
    seen = True


class Remembers(MinMaxObserver):
    largest = 0.0

    def collect(self, x):
        super().collect(x)
        self.largest = max(self.largest, float(x.abs().max()))

    def range(self, grid, *, symmetric):
        low, high = super().range(grid, symmetric=symmetric)
        return low - self.largest, high + self.largest


class Reversed(MinMaxObserver):
    def range(self, grid, *, symmetric):
        return super().range(grid, symmetric=symmetric)[::-1]


class Mixes(MinMaxObserver):
    def range(self, grid, *, symmetric):
        low, high = super().range(grid, symmetric=symmetric)
        return low.amin().expand_as(low), high


class TakesNaN(MinMaxObserver):
    def collect(self, x):
        super().collect(x.nan_to_num())


class DividesByDeviation(MinMaxObserver):
    def range(self, grid, *, symmetric):
        low, high = super().range(grid, symmetric=symmetric)
        return low / (high - low) * (high - low), high


class CountsEmpty(MinMaxObserver):
    def observe(self, x):
        super().observe(x if x.shape[1] else torch.zeros(len(x), 1))


class KeepsGraph(Observer):
    """The last batch, with its gradients."""

    last = None
    seen = property(lambda self: self.last is not None)

    def observe(self, x):
        if not x.isfinite().all():
            raise ValueError("NaN or infinity")
        self.last = x if x.shape[1] else self.last

    def range(self, grid, *, symmetric):
        return self.last.amin(dim=1), self.last.amax(dim=1)

    def reset(self):
        self.last = None


BROKEN = {
    "be unseen at first and after a reset": AlwaysSeen,
    "remember nothing after a reset": Remembers,
    "return one range for each slice, the lower end first": Reversed,
    "treat each slice by itself": Mixes,
    "refuse NaN and infinity": TakesNaN,
    "return a finite range of constant values": DividesByDeviation,
    "ignore an empty batch": CountsEmpty,
    "keep no graph of gradients": KeepsGraph,
}


def test_each_requirement_has_a_class_that_breaks_it():
    assert BROKEN.keys() == REQUIREMENTS.keys()


@pytest.mark.parametrize(("words", "observer"), BROKEN.items(), ids=list(BROKEN))
def test_a_broken_requirement_is_named(words, observer):
    message = f"^{observer.__name__}, 3 slices: it must {re.escape(words)}$"
    with pytest.raises(RequirementError, match=message):
        check_observer(observer)


@pytest.mark.parametrize("name", sorted(OBSERVERS))
def test_those_of_papers_meet_all(name):
    assert check_observer(OBSERVERS[name]).requirements == tuple(REQUIREMENTS)


def test_options_reach_the_class():
    report = check_observer("qat.observers.percentile:PercentileObserver", {"percentile": 99.0})
    assert report.cases == ("3 slices", "1 slice")
    with pytest.raises(ValueError, match="percentile must be above 50"):
        check_observer("qat.observers.percentile:PercentileObserver", {"percentile": 0.0})


def test_what_is_no_observer_is_refused():
    with pytest.raises(InputError, match="is not a subclass of qat"):
        check_observer("fractions:Fraction")
