"""Greedy allocation: start from the cheapest plan, and take the step of the best gain per cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from qat.allocate.budget import Budgets, overruns, unmeetable
from qat.allocate.ilp import nearest
from qat.allocate.problem import Problem
from qat.allocate.spare_budget import spend_leftover
from qat.sensitivity.widths import Slot


@dataclass(frozen=True)
class FrontPlan:
    """A plan of the greedy front.

    Attributes:
        bits: Slot → width.
        harm: Predicted harm, in the unit of the metric.
        cost: In the unit of the front's cost.
    """

    bits: Mapping[Slot, int]
    harm: float
    cost: float


def greedy_front(problem: Problem, cost: str = "weight_bytes") -> list[FrontPlan]:
    """The plans that greedy steps pass from the narrowest plan to the least harm.

    A plan is left out if another one has no more cost and no more harm.

    Args:
        problem: The widths to choose.
        cost: One of :data:`qat.allocate.costs.COSTS`.

    Returns:
        Plans with strictly ascending cost and strictly descending harm.

    Raises:
        ValueError: If the figures for that cost are missing.
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
    """The greedy plan within all budgets.

    The cost of a plan is the sum of its costs, each as a share of its budget.

    Args:
        problem: The widths to choose.
        budgets: Limits.

    Raises:
        UnmeetableBudgetError: If there is no plan within them.
        ValueError: If the figures for a budget are missing.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> from qat.allocate.problem import Variable
        >>> costs = NetworkCosts(tuple(LayerFigures(name, 8, 8, 8, 8) for name in "ab"))
        >>> harmless = Variable((("a", "weight"),), {2: 0.1, 8: 0.0})
        >>> harmful = Variable((("b", "weight"),), {2: 5.0, 8: 0.0})
        >>> greedy(Problem((harmless, harmful), costs), Budgets(average_weight_bits=5))
        {('a', 'weight'): 2, ('b', 'weight'): 8}
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

    Args:
        problem: The widths to choose.
        bits: The plan, slot → width.
        budgets: Limits.

    Raises:
        UnmeetableBudgetError: If there is no plan within them.
    """
    plan = dict(bits)
    while overruns(problem.costs, plan, budgets):
        harm, spent = problem.harm(plan), _shares(problem, plan, budgets)
        moves = [
            (_ratio(spent - _shares(problem, other, budgets), problem.harm(other) - harm), other)
            for other in _narrower(problem, plan)
            if _shares(problem, other, budgets) < spent
        ]
        if not moves:
            return greedy(problem, budgets)  # nothing can be narrowed: start from the cheapest plan
        plan = max(moves, key=lambda move: move[0])[1]
    return plan


def _front(way: list[FrontPlan]) -> list[FrontPlan]:
    front: list[FrontPlan] = []
    for point in sorted(way, key=lambda point: (point.cost, point.harm)):
        if not front or point.harm < front[-1].harm:
            front.append(point)
    return front


def _ratio(gain: float, cost: float) -> tuple[float, float]:
    """Gain per cost, as a sort key; a step that costs nothing ranks above all others."""
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
    moves = []
    for variable in problem.variables:
        now = bits[variable.slots[0]]
        for width in variable.widths:
            if (width > now) if up else (width < now):
                moves.append({**bits, **dict.fromkeys(variable.slots, width)})
    return moves
