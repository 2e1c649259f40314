"""What a budget still allows, once the least harm is reached.

A finite sample often scores several widths alike. Of plans of equal harm the wider one is the
safer, so what is left is spent on the narrowest.
"""

from collections.abc import Mapping

from qat.allocate.budget import Budgets, overruns
from qat.allocate.problem import Problem
from qat.sensitivity.widths import Slot


def spend_leftover(problem: Problem, bits: Mapping[Slot, int], budgets: Budgets) -> dict[Slot, int]:
    """The plan widened step by step, the narrowest first, while no harm and no budget rises above.

    Args:
        problem: What is chosen.
        bits: A plan within the budgets.
        budgets: Limits.
    """
    widths = problem.widths(bits)
    while True:
        harm = problem.harm(problem.bits(widths))
        for v in sorted(range(len(widths)), key=widths.__getitem__):
            options = problem.variables[v].widths
            wider = next((width for width in options if width > widths[v]), None)
            if wider is None:
                continue
            tried = problem.bits([*widths[:v], wider, *widths[v + 1 :]])
            if problem.harm(tried) <= harm and not overruns(problem.costs, tried, budgets):
                widths[v] = wider
                break
        else:
            return problem.bits(widths)
