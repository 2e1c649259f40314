"""Plans that are measured as a whole, after or beside what a sum of harms predicts."""

import math
from collections.abc import Callable, Iterable, Mapping

from qat.allocate.budget import Budgets, overruns
from qat.allocate.problem import Problem
from qat.base.errors import InputError
from qat.sensitivity.widths import Bits, Slot


def allowed_plans(
    problem: Problem, budgets: Budgets, plans: Iterable[Mapping[Slot, int]]
) -> Iterable[dict[Slot, int]]:
    """The plans whose widths are all candidates, and which are within the budgets.

    Args:
        problem: The widths to choose.
        budgets: Limits.
        plans: Slot → width; slots that the problem does not have are left out.
    """
    for bits in plans:
        if all(
            bits.get(slot) in variable.widths and bits[slot] == bits[variable.slots[0]]
            for variable in problem.variables
            for slot in variable.slots
        ):
            plan = problem.bits(problem.widths(bits))
            if not overruns(problem.costs, plan, budgets):
                yield plan


def checked_harm(value: float) -> float:
    """The measured harm of a plan.

    Raises:
        ValueError: If it is NaN.
    """
    if math.isnan(value):
        raise InputError(
            "the measured harm of a plan is NaN, because the network diverges with it: leave the "
            "narrowest width out, or calibrate with other images"
        )
    return float(value)


def less_harmful(
    plan: dict[Slot, int], others: Iterable[dict[Slot, int]], evaluate: Callable[[Bits], float]
) -> tuple[dict[Slot, int], float, float]:
    """The plan, or the one of the others that does the least harm, if this is less.

    Args:
        plan: Slot → width.
        others: To compare it with.
        evaluate: Plan → measured harm, lower is better.

    Returns:
        The better plan, its harm, and the harm of ``plan``.

    Raises:
        ValueError: If a measured harm is NaN.

    Example:
        >>> a = ("a", "weight")
        >>> less_harmful({a: 2}, [{a: 4}, {a: 8}], lambda bits: abs(bits[a] - 4))
        ({('a', 'weight'): 4}, 0.0, 2.0)
    """
    best, least = plan, checked_harm(evaluate(plan))
    own = least
    for other in others:
        if other != plan and (harm := checked_harm(evaluate(other))) < least:
            best, least = other, harm
    return best, least, own
