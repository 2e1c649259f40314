"""The plan of least predicted harm if the harms of tensors do not add up.

Minimises the quadratic form of :mod:`qat.allocate.paired` over one width for each variable, within
the budgets (Deng et al., CLADO, 2023, arXiv:2307.05657). The paper gives the integer quadratic
programme to a solver of such programmes. Here each product of two choices is a continuous column y
of the linear programme of :mod:`qat.allocate.ilp`, with sum_b y[va, wb] = x[va] and
sum_a y[va, wb] = x[wb]: since each x is 0 or 1, y is their product, and the result is exact.

The programme of a large network takes long. If the solver does not prove in time that its plan is
the best one, local searches go on from its plan and from those of other allocators; the best of
their results is taken, with a :class:`CladoWarning`.

Pairs are measured on a few images, and a metric that counts images is coarse. So the plan can be
measured as a whole beside others, such as equal widths; the paper does not do so.

Cites: deng2023clado.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from qat.allocate.budget import Budgets
from qat.allocate.greedy import greedy
from qat.allocate.ilp import least_harm, solve_ilp
from qat.allocate.local_search import improved
from qat.allocate.problem import Problem
from qat.allocate.spare_budget import spend_leftover
from qat.allocate.whole_plans import allowed_plans, less_harmful
from qat.base.errors import InputError
from qat.sensitivity.widths import Bits, Slot

SECONDS = 120.0


class CladoWarning(UserWarning):
    """The plan is not proven to be of least predicted harm, or was measured to be a worse one."""


def solve_clado(
    problem: Problem,
    budgets: Budgets,
    *,
    seconds: float = SECONDS,
    evaluate: Callable[[Bits], float] | None = None,
    start: Iterable[Mapping[Slot, int]] = (),
) -> dict[Slot, int]:
    """Slot → width of least harm within the budgets, interactions included.

    Args:
        problem: The widths to choose, see :func:`qat.allocate.paired.paired`; without interactions
            this is :func:`qat.allocate.ilp.solve_ilp`.
        budgets: Limits.
        seconds: How long the solver may take.
        evaluate: Plan → measured harm, lower is better. If given, the plan is measured, and one of
            ``start`` that does less harm replaces it, with a :class:`CladoWarning`.
        start: Plans to compare with; those that overrun a budget, or have a width that is no
            candidate, are left out.

    Raises:
        UnmeetableBudgetError: If there is no such plan; the error has the nearest one.
        ValueError: If the figures for a budget are missing, ``seconds`` is not above 0,
            or a measured harm is NaN.
        RuntimeError: If the solver stops for another reason.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> from qat.allocate.paired import paired
        >>> from qat.allocate.problem import Variable
        >>> costs = NetworkCosts(tuple(LayerFigures(name, 8, 8, 8, 8) for name in "abc"))
        >>> harms = {"a": 2.0, "b": 2.0, "c": 1.0}
        >>> variables = (Variable(((n, "weight"),), {2: h, 8: 0.0}) for n, h in harms.items())
        >>> cancel = {(("a", "weight"), 2, ("b", "weight"), 2): -4.0}
        >>> both = paired(Problem(tuple(variables), costs), cancel)
        >>> solve_clado(both, Budgets(average_weight_bits=4))
        {('a', 'weight'): 2, ('b', 'weight'): 2, ('c', 'weight'): 8}
    """
    if not seconds > 0:
        raise InputError(f"seconds must be above 0, got {seconds}; such as {SECONDS:.0f}")
    additive = solve_ilp(replace(problem, interactions={}), budgets)
    solution = least_harm(problem, budgets, seconds=seconds)
    plans = [additive] if solution.bits is None else [solution.bits, additive]
    if not solution.proven:
        starts = [*plans, greedy(problem, budgets)]
        plans = [improved(problem, bits, budgets) for bits in starts]
        warnings.warn(
            f"the plan of clado is not proven to be the best: the solver stopped after {seconds:g} "
            "seconds; give it more by allocate.options.seconds, or fewer widths",
            CladoWarning,
            stacklevel=2,
        )
    chosen = spend_leftover(problem, min(plans, key=problem.harm), budgets)
    return chosen if evaluate is None else _checked(problem, budgets, chosen, start, evaluate)


def _checked(
    problem: Problem,
    budgets: Budgets,
    chosen: dict[Slot, int],
    start: Iterable[Mapping[Slot, int]],
    evaluate: Callable[[Bits], float],
) -> dict[Slot, int]:
    """The chosen plan, or one of the others if it was measured to do less harm."""
    others = allowed_plans(problem, budgets, start)
    best, least, own = less_harmful(chosen, others, evaluate)
    if best != chosen:
        warnings.warn(
            f"the plan of clado does more harm ({own:.4g}) than a plan of equal widths "
            f"({least:.4g}), each measured as a whole: the latter is taken; "
            "allocate.options.check=null keeps that of clado",
            CladoWarning,
            stacklevel=3,
        )
    return best
