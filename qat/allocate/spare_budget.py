"""Spend what is left of the budgets once the least harm is reached.

A finite sample often gives several widths the same score. Of plans of equal harm the wider one is
safer, so the narrowest widths get what is left of the budgets.
"""

from collections.abc import Mapping

from qat.allocate.budget import Budgets, overruns
from qat.allocate.problem import Problem
from qat.sensitivity.widths import Slot


def spend_leftover(problem: Problem, bits: Mapping[Slot, int], budgets: Budgets) -> dict[Slot, int]:
    """The plan widened step by step, the narrowest first, while its harm does not rise.

    Args:
        problem: The widths to choose.
        bits: A plan within the budgets, slot → width.
        budgets: Limits; the wider plan is within them too.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> from qat.allocate.problem import Variable
        >>> variable = Variable((("fc", "weight"),), {2: 0.0, 4: 0.0, 8: 0.0})
        >>> problem = Problem((variable,), NetworkCosts((LayerFigures("fc", 8, 8, 8, 8),)))
        >>> spend_leftover(problem, {("fc", "weight"): 2}, Budgets(weight_bytes=5))
        {('fc', 'weight'): 4}
    """
    widths = problem.widths(bits)
    while True:
        harm = problem.harm(problem.bits(widths))
        for v in sorted(range(len(widths)), key=widths.__getitem__):
            options = problem.variables[v].widths
            wider = next((width for width in options if width > widths[v]), None)
            if wider is None:
                continue
            plan = problem.bits([*widths[:v], wider, *widths[v + 1 :]])
            if problem.harm(plan) <= harm and not overruns(problem.costs, plan, budgets):
                widths[v] = wider
                break
        else:
            return problem.bits(widths)
