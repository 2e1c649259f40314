"""The percentile threshold as an allocator: widths for the weights and activations of a problem."""

from qat.allocate.budget import Budgets
from qat.allocate.greedy import narrowed
from qat.allocate.problem import Problem, Variable
from qat.allocate.threshold import threshold
from qat.sensitivity.widths import Slot

PERCENTILE = 75.0


def by_threshold(
    problem: Problem,
    budgets: Budgets | None = None,
    *,
    percentile: float = PERCENTILE,
    default_bits: int = 8,
    reference_bits: int | None = None,
) -> dict[Slot, int]:
    """Widths by the percentile threshold; weights and activations are ranked separately.

    Args:
        problem: The widths to choose.
        budgets: Limits: the plan is narrowed until it is within them, the least harm per saved
            cost first. None narrows nothing.
        percentile: See :func:`qat.allocate.threshold.threshold`.
        default_bits: Width where all scores are equal; the nearest candidate is taken.
        reference_bits: Width whose scores rank the layers; None is the narrowest of each.

    Raises:
        UnmeetableBudgetError: If no plan is within the budgets.
        ValueError: If the percentile is not 0 to 100.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> costs = NetworkCosts(tuple(LayerFigures(name, 8, 8, 8, 8) for name in "ab"))
        >>> harmless = Variable((("a", "weight"),), {2: 0.1, 8: 0.0})
        >>> harmful = Variable((("b", "weight"),), {2: 5.0, 8: 0.0})
        >>> by_threshold(Problem((harmless, harmful), costs))
        {('a', 'weight'): 2, ('b', 'weight'): 8}
    """
    widths: dict[tuple[Slot, ...], int] = {}
    for kind in ("weight", "act"):
        own = [v for v in problem.variables if v.slots[0][1] == kind]
        free = [v for v in own if len(v.widths) > 1]
        options = sorted({width for v in free for width in v.widths})
        scores = {v.slots: v.harms[_near(v, reference_bits or v.widths[0])] for v in free}
        chosen = threshold(scores, options, percentile, default_bits) if free else {}
        widths |= {v.slots: _near(v, chosen.get(v.slots, v.widths[0])) for v in own}
    bits = problem.bits([widths[variable.slots] for variable in problem.variables])
    return bits if budgets is None else narrowed(problem, bits, budgets)


def _near(variable: Variable, bits: int) -> int:
    """The candidate nearest to a width; of two, the wider one."""
    return min(variable.widths, key=lambda width: (abs(width - bits), -width))
