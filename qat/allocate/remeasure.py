"""Allocate, measure the plan, measure again around it, and allocate anew until the plan stays.

Sensitivities that start from the float network say little about a plan in which all tensors are
quantized, if their errors do not add up. Each round measures what one change of the best plan so
far does to it, adds these effects up, and takes the plan of least sum that differs from the best
plan in at most r variables. If that plan, measured as a whole, is better, it becomes the best one;
if not, the sum was not valid that far: r falls to half of the changes. The result is the best plan
that was measured, so that it is never worse than the plans to start from.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from qat.allocate.budget import Budgets
from qat.allocate.ilp import least_harm, solve_ilp
from qat.allocate.problem import Problem, Variable
from qat.allocate.whole_plans import allowed_plans, checked_harm
from qat.base.errors import InputError
from qat.base.progress import Track
from qat.sensitivity.widths import Bits, Slot

ROUNDS = 5
Around = Callable[[Bits], Mapping[Slot, Mapping[int, float]]]
"""A plan, to the harm of each plan that differs in one variable: first slot → width → harm."""


@dataclass(frozen=True)
class RemeasuredRound:
    """What one round measured, and where it led.

    Attributes:
        plans: ``(plan, harm)`` of every whole plan that was measured for the first time, in order.
        bits: The best plan so far.
        harm: Its measured harm.
    """

    plans: tuple[tuple[dict[Slot, int], float], ...]
    bits: dict[Slot, int]
    harm: float


def remeasure(
    problem: Problem,
    budgets: Budgets,
    evaluate: Callable[[Bits], float],
    around: Around,
    *,
    rounds: int = ROUNDS,
    start: Iterable[Mapping[Slot, int]] = (),
    track: Track | None = None,
    report: Callable[[RemeasuredRound], None] | None = None,
) -> dict[Slot, int]:
    """Improve the additive plan by measuring around it.

    Args:
        problem: The widths to choose, with the harms from the float network: the plan of
            :func:`qat.allocate.ilp.solve_ilp` is where the rounds begin.
        budgets: Limits.
        evaluate: Plan → measured harm, lower is better.
        around: Plan → measured harms of the plans that differ in one variable.
        rounds: How many plans to measure around at most.
        start: Other plans to begin with; those that overrun a budget, or have a width that is no
            candidate, are left out.
        track: Wraps the rounds to show progress.
        report: Gets each round when it has ended: first the plans to begin with, then those around
            the best plan. None reports nothing.

    Returns:
        Slot → width of the best plan that was measured.

    Raises:
        UnmeetableBudgetError: If no plan fits.
        ValueError: If ``rounds`` is below 1, or a measured harm is NaN.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> costs = NetworkCosts(tuple(LayerFigures(name, 8, 8, 8, 8) for name in "ab"))
        >>> variables = tuple(Variable(((n, "weight"),), {2: 1.0, 8: 0.0}) for n in "ab")
        >>> a, b = ("a", "weight"), ("b", "weight")
        >>> def harm(bits):
        ...     return abs(bits[a] - 2) + abs(bits[b] - 8)
        >>> def around(bits):
        ...     return {s: {w: harm({**bits, s: w}) for w in (2, 8)} for s in (a, b)}
        >>> remeasure(Problem(variables, costs), Budgets(weight_bytes=10), harm, around)
        {('a', 'weight'): 2, ('b', 'weight'): 8}
    """
    if rounds < 1:
        raise InputError(f"rounds must be 1 or more, got {rounds}; such as {ROUNDS}")
    measure = _MeasuredPlans(problem, evaluate, report)
    for bits in [solve_ilp(problem, budgets), *allowed_plans(problem, budgets, start)]:
        measure(bits)
    best, least = min(measure.plans.values(), key=lambda plan: plan[1])
    measure.end_round(best, least)
    for _ in track(range(rounds)) if track else range(rounds):
        local = _local_problem(problem, best, least, around(best))
        better = _better_plan(local, budgets, best, least, measure)
        best, least = better or (best, least)
        measure.end_round(best, least)
        if better is None:
            break
    return best


class _MeasuredPlans:
    """Measures each plan once."""

    def __init__(
        self,
        problem: Problem,
        evaluate: Callable[[Bits], float],
        report: Callable[[RemeasuredRound], None] | None,
    ) -> None:
        self._problem, self._evaluate, self._report = problem, evaluate, report
        self.plans: dict[tuple[int, ...], tuple[dict[Slot, int], float]] = {}
        self._reported = 0

    def __call__(self, bits: Mapping[Slot, int]) -> float:
        key = tuple(self._problem.widths(bits))
        if key not in self.plans:
            self.plans[key] = (dict(bits), checked_harm(self._evaluate(bits)))
        return self.plans[key][1]

    def end_round(self, best: dict[Slot, int], harm: float) -> None:
        """Report the plans that were measured since the last round, and the best one."""
        plans = tuple(self.plans.values())[self._reported :]
        self._reported = len(self.plans)
        if self._report is not None:
            self._report(RemeasuredRound(plans, best, harm))


def _better_plan(
    local: Problem,
    budgets: Budgets,
    best: dict[Slot, int],
    least: float,
    measure: Callable[[Mapping[Slot, int]], float],
) -> tuple[dict[Slot, int], float] | None:
    """A plan that is better when it is measured; None if the plan stays."""
    radius = len(local.variables)
    while radius:
        bits = least_harm(local, budgets, near=best, changes=radius).bits
        assert bits is not None  # the best plan itself is within the budgets
        if bits == best or local.harm(bits) >= 0:
            return None
        if (harm := measure(bits)) < least:
            return bits, harm
        pairs = zip(local.widths(bits), local.widths(best), strict=True)
        radius = sum(one != other for one, other in pairs) // 2
    return None


def _local_problem(
    problem: Problem, best: Bits, least: float, harms: Mapping[Slot, Mapping[int, float]]
) -> Problem:
    """The problem whose harms are the effects of single changes of the best plan."""
    variables = []
    for variable in problem.variables:
        own = harms.get(variable.slots[0], {})
        effects = {width: own[width] - least for width in variable.widths if width in own}
        effects[best[variable.slots[0]]] = 0.0
        finite = {w: effects[w] for w in variable.widths if math.isfinite(effects.get(w, math.inf))}
        variables.append(Variable(variable.slots, finite))
    return replace(problem, variables=tuple(variables), interactions={})
