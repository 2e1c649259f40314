"""Allocators by name: every one takes a problem and budgets, and gives widths.

``threshold`` and ``greedy`` are quick, ``ilp`` is exact for harms that add up; searching by real
evaluations is :func:`qat.allocate.evolve.evolve`, learning widths :mod:`qat.allocate.choice`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from qat.allocate.budget import Budgets
from qat.allocate.greedy import greedy, narrowed
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import Problem, Variable
from qat.allocate.threshold import threshold
from qat.base.errors import InputError, UnknownNameError
from qat.sensitivity.widths import Slot

PERCENTILE = 75.0


def allocate(
    name: str, problem: Problem, budgets: Budgets | None, options: Mapping[str, Any] | None = None
) -> dict[Slot, int]:
    """Slot → width by an allocator's name.

    Args:
        name: One of :data:`ALLOCATORS`.
        problem: What is to be chosen.
        budgets: Limits; only ``threshold`` can do without.
        options: Of the allocator; ``threshold`` takes ``percentile``, ``default_bits``,
            ``reference_bits``.

    Raises:
        KeyError: If there is no such allocator.
        ValueError: If it needs a budget, has no such option, or no plan meets the budgets.
    """
    if name not in ALLOCATORS:
        raise UnknownNameError(f"no allocator {name!r}; there are {', '.join(ALLOCATORS)}")
    if budgets is None and name != "threshold":
        raise InputError(f"allocator {name} needs a budget: give allocate.weight_bytes or another")
    try:
        return ALLOCATORS[name](problem, budgets, **(options or {}))
    except TypeError as error:
        raise InputError(f"options do not fit allocator {name}: {error}") from error


def by_threshold(
    problem: Problem,
    budgets: Budgets | None = None,
    *,
    percentile: float = PERCENTILE,
    default_bits: int = 8,
    reference_bits: int | None = None,
) -> dict[Slot, int]:
    """The percentile threshold, weights and activations each among themselves.

    Args:
        problem: What is to be chosen.
        budgets: If given, the plan is narrowed until it is within them, the least harm per saved
            cost first.
        percentile: See :func:`qat.allocate.threshold.threshold`.
        default_bits: Where the scores tell nothing; the nearest candidate is taken.
        reference_bits: Width whose scores rank the layers; None is the narrowest of each.
    """
    found: dict[tuple[Slot, ...], int] = {}
    for kind in ("weight", "act"):
        own = [v for v in problem.variables if v.slots[0][1] == kind]
        free = [v for v in own if len(v.widths) > 1]
        options = sorted({width for v in free for width in v.widths})
        scores = {v.slots: v.harms[_near(v, reference_bits or v.widths[0])] for v in free}
        chosen = threshold(scores, options, percentile, default_bits) if free else {}
        found |= {v.slots: _near(v, chosen.get(v.slots, v.widths[0])) for v in own}
    bits = problem.bits([found[variable.slots] for variable in problem.variables])
    return bits if budgets is None else narrowed(problem, bits, budgets)


def _near(variable: Variable, bits: int) -> int:
    """The candidate nearest to a width, the wider of two."""
    return min(variable.widths, key=lambda width: (abs(width - bits), -width))


ALLOCATORS: Mapping[str, Callable[..., dict[Slot, int]]] = {
    "threshold": by_threshold,
    "greedy": greedy,
    "ilp": solve_ilp,
}
