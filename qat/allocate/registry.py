"""Allocators by name: each takes a problem and budgets, and returns widths.

Reading the names imports no allocator. ``threshold`` and ``greedy`` are quick, ``ilp`` is exact for
harms that add up and ``clado`` with a term for each pair, ``remeasure`` and ``evolve`` measure
whole plans, and ``learned`` takes harms from a training (:mod:`qat.allocate.choice`).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from qat.base.errors import InputError, UnknownNameError
from qat.core.registry import Registry

if TYPE_CHECKING:
    from qat.allocate.budget import Budgets
    from qat.allocate.problem import Problem
    from qat.sensitivity.widths import Slot

ALLOCATORS: "Registry[Callable[..., dict[Slot, int]]]" = Registry(
    {
        "threshold": "qat.allocate.by_threshold:by_threshold",
        "greedy": "qat.allocate.greedy:greedy",
        "ilp": "qat.allocate.ilp:solve_ilp",
        "clado": "qat.allocate.clado:solve_clado",
        "remeasure": "qat.allocate.remeasure:remeasure",
        "evolve": "qat.allocate.evolve:best_evolved",
        "learned": "qat.allocate.learned:most_probable",
    }
)
MEASURING = ("evolve", "remeasure")
"""Allocators that evaluate plans: they also take ``evaluate``, ``start`` and ``track``."""
WITH_OUTPUTS = ("clado", "remeasure")
"""Allocators that score several tensors together, by a metric that reads the outputs."""
PROJECTIONS = ("relative", "absolute", "none")
"""How ``clado`` makes its matrix of pairs positive semidefinite: :mod:`qat.allocate.paired`."""
WITHOUT_BUDGET = ("threshold",)
"""Allocators that need no budget."""


def allocate(
    name: str,
    problem: "Problem",
    budgets: "Budgets | None",
    options: Mapping[str, Any] | None = None,
) -> "dict[Slot, int]":
    """Choose widths by the allocator of a name.

    Args:
        name: One of :data:`ALLOCATORS`.
        problem: The widths to choose.
        budgets: Limits; None only for those in :data:`WITHOUT_BUDGET`.
        options: Options of the allocator, such as ``percentile`` of ``threshold``.

    Returns:
        Slot → width.

    Raises:
        KeyError: If there is no such allocator.
        ValueError: If it needs a budget, has no such option, or no plan meets the budgets.

    Example:
        >>> from qat.allocate.budget import Budgets
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> from qat.allocate.problem import Problem, Variable
        >>> variable = Variable((("fc", "weight"),), {2: 1.0, 4: 0.5, 8: 0.0})
        >>> problem = Problem((variable,), NetworkCosts((LayerFigures("fc", 100, 100, 8, 8),)))
        >>> allocate("greedy", problem, Budgets(weight_bytes=50))
        {('fc', 'weight'): 4}
    """
    if name not in ALLOCATORS:
        raise UnknownNameError(f"no allocator {name!r}; there are {', '.join(ALLOCATORS)}")
    if budgets is None and name not in WITHOUT_BUDGET:
        raise InputError(f"allocator {name} needs a budget: give allocate.weight_bytes or another")
    try:
        return ALLOCATORS[name](problem, budgets, **(options or {}))
    except TypeError as error:
        raise InputError(f"options do not fit allocator {name}: {error}") from error
