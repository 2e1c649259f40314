"""Greedy allocation: from the cheapest plan upwards, the best gain per cost first."""

from collections.abc import Mapping
from dataclasses import dataclass

from qat.allocate.budget import Budgets, overruns, unmeetable
from qat.allocate.ilp import nearest
from qat.allocate.problem import Problem
from qat.allocate.spare_budget import spend_leftover
from qat.sensitivity.widths import Slot


@dataclass(frozen=True)
class FrontPlan:
    """A plan on the way.

    Attributes:
        bits: Slot → width.
        harm: Predicted.
        cost: In the unit of the cost that was asked for.
    """

    bits: Mapping[Slot, int]
    harm: float
    cost: float


def greedy_front(problem: Problem, cost: str = "weight_bytes") -> list[FrontPlan]:
    """All plans of the greedy way from narrowest to best, without those that another one beats.

    Args:
        problem: What is to be chosen.
        cost: One of :data:`qat.allocate.costs.COSTS`.

    Returns:
        Ascending cost, descending harm, both strictly.
    """
    here = _point(problem, problem.narrowest(), cost)
    way = [here]
    while True:
        moves = [
            point
            for bits in _wider(problem, here.bits)
            if (point := _point(problem, bits, cost)).harm < here.harm
        ]
        if not moves:
            return _front(way)
        here = max(moves, key=lambda point: _ratio(here.harm - point.harm, point.cost - here.cost))
        way.append(here)


def greedy(problem: Problem, budgets: Budgets) -> dict[Slot, int]:
    """The greedy plan within all budgets; with several, a cost is the sum of its shares of them.

    Raises:
        UnmeetableBudgetError: If there is no plan within them.
    """
    bits = problem.narrowest()
    if overruns(problem.costs, bits, budgets):
        bits = nearest(problem, budgets)
        if overruns(problem.costs, bits, budgets):
            raise unmeetable(problem.costs, bits, budgets)
    while True:
        harm, spent = problem.harm(bits), _shares(problem, bits, budgets)
        moves = [
            (_ratio(harm - problem.harm(other), _shares(problem, other, budgets) - spent), other)
            for other in _wider(problem, bits)
            if problem.harm(other) < harm and not overruns(problem.costs, other, budgets)
        ]
        if not moves:
            return spend_leftover(problem, bits, budgets)
        bits = max(moves, key=lambda move: move[0])[1]


def narrowed(problem: Problem, bits: Mapping[Slot, int], budgets: Budgets) -> dict[Slot, int]:
    """A plan brought within the budgets, the least harm per saved cost first.

    Raises:
        UnmeetableBudgetError: If there is no plan within them.
    """
    found = dict(bits)
    while overruns(problem.costs, found, budgets):
        harm, spent = problem.harm(found), _shares(problem, found, budgets)
        moves = [
            (_ratio(spent - _shares(problem, other, budgets), problem.harm(other) - harm), other)
            for other in _narrower(problem, found)
            if _shares(problem, other, budgets) < spent
        ]
        if not moves:
            return greedy(problem, budgets)  # no way down from here: its own start, or its error
        found = max(moves, key=lambda move: move[0])[1]
    return found


def _front(way: list[FrontPlan]) -> list[FrontPlan]:
    found: list[FrontPlan] = []
    for point in sorted(way, key=lambda point: (point.cost, point.harm)):
        if not found or point.harm < found[-1].harm:
            found.append(point)
    return found


def _ratio(gain: float, cost: float) -> tuple[float, float]:
    """Gain per cost, to be compared; what costs nothing comes before all that does."""
    return (float("inf"), gain) if cost <= 0 else (gain / cost, gain)


def _shares(problem: Problem, bits: Mapping[Slot, int], budgets: Budgets) -> float:
    limits = budgets.named().items()
    return sum(problem.costs.cost(name, bits) / limit for name, limit in limits)


def _point(problem: Problem, bits: Mapping[Slot, int], cost: str) -> FrontPlan:
    return FrontPlan(bits, problem.harm(bits), problem.costs.cost(cost, bits))


def _wider(problem: Problem, bits: Mapping[Slot, int]) -> list[dict[Slot, int]]:
    return _moves(problem, bits, up=True)


def _narrower(problem: Problem, bits: Mapping[Slot, int]) -> list[dict[Slot, int]]:
    return _moves(problem, bits, up=False)


def _moves(problem: Problem, bits: Mapping[Slot, int], *, up: bool) -> list[dict[Slot, int]]:
    found = []
    for variable in problem.variables:
        now = bits[variable.slots[0]]
        for width in variable.widths:
            if (width > now) if up else (width < now):
                found.append({**bits, **dict.fromkeys(variable.slots, width)})
    return found
