"""What every allocator must guarantee, as a check of a function of one's own."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from qat.allocate.budget import Budgets, overruns
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.problem import Problem, Variable
from qat.base.requirements import RequirementReport, check_requirements
from qat.base.target import load_target
from qat.sensitivity.widths import Bits, Slot

_WIDTHS = (2, 3, 4, 6, 8)
_LAYERS = 5


@dataclass(frozen=True)
class AllocatorCase:
    """A problem and its budgets.

    Attributes:
        allocate: The allocator: from a problem and budgets to slot → width.
        problem: The widths to choose.
        budgets: Limits that some plans meet.
    """

    allocate: Callable[[Problem, Budgets], Bits]
    problem: Problem
    budgets: Budgets

    def bits(self) -> Bits:
        """The chosen widths."""
        return self.allocate(self.problem, self.budgets)

    def __str__(self) -> str:
        limits = self.budgets.named().items()
        return " and ".join(f"{name}={limit:g}" for name, limit in limits)


def check_allocator(
    allocator: Callable[..., Bits] | str, options: Mapping[str, Any] | None = None
) -> RequirementReport:
    """Check what every allocator must guarantee, for a function of your own.

    Args:
        allocator: The function, or ``package.module:function``.
        options: Further arguments of the function.

    Returns:
        The requirements that it meets; ``print`` shows them.

    Raises:
        RequirementError: If it does not meet one; the message says which, and with which budgets.

    Example:
        >>> import qat
        >>> print(qat.check_allocator("qat.allocate.greedy:greedy"))
        greedy meets 6 requirements in 4 cases:
          it must give each tensor one width
          it must choose among the candidates
          it must give tensors of a group the same width
          it must stay within every budget
          it must choose the same widths again
          it must refuse a budget that no plan meets
    """
    chosen = load_target(allocator) if isinstance(allocator, str) else allocator
    bound = partial(chosen, **(options or {}))
    problem = _problem()
    costs = problem.costs
    uniform = {slot: 4 for slot in problem.narrowest()}
    limits = [
        {"average_weight_bits": 3.5},
        {"weight_bytes": costs.weight_bytes(uniform)},
        {"bops": costs.bops(uniform)},
        {"weight_bytes": costs.weight_bytes(uniform), "bops": costs.bops(uniform)},
    ]
    cases = [AllocatorCase(bound, problem, Budgets(**each)) for each in limits]
    return check_requirements(chosen.__name__, cases, REQUIREMENTS, {})


def _problem() -> Problem:
    """Five layers of different sizes; the inputs of the first two have one width."""
    draw = random.Random(0)
    names = [f"layer{index}" for index in range(_LAYERS)]
    figures = [LayerFigures(n, draw.randint(50, 900), draw.randint(50, 9000), 8, 8) for n in names]
    groups: list[tuple[Slot, ...]] = [((name, "weight"),) for name in names]
    groups += [((names[0], "act"), (names[1], "act"))]
    groups += [((name, "act"),) for name in names[2:]]
    variables = []
    for slots in groups:
        size = draw.uniform(0.1, 10)
        variables.append(Variable(slots, {width: size * 4.0**-width for width in _WIDTHS}))
    return Problem(tuple(variables), NetworkCosts(tuple(figures)))


def _complete(case: AllocatorCase) -> bool:
    return set(case.bits()) == set(case.problem.narrowest())


def _candidates(case: AllocatorCase) -> bool:
    bits = case.bits()
    return all(bits[slot] in each.widths for each in case.problem.variables for slot in each.slots)


def _grouped(case: AllocatorCase) -> bool:
    bits = case.bits()
    return all(len({bits[slot] for slot in each.slots}) == 1 for each in case.problem.variables)


def _within(case: AllocatorCase) -> bool:
    return not overruns(case.problem.costs, case.bits(), case.budgets)


def _repeats(case: AllocatorCase) -> bool:
    return dict(case.bits()) == dict(case.bits())


def _refuses(case: AllocatorCase) -> bool:
    tiny = Budgets(**{name: limit / 100 for name, limit in case.budgets.named().items()})
    try:
        case.allocate(case.problem, tiny)
    except ValueError:
        return True
    return False


REQUIREMENTS: Mapping[str, Callable[[AllocatorCase], bool]] = {
    "give each tensor one width": _complete,
    "choose among the candidates": _candidates,
    "give tensors of a group the same width": _grouped,
    "stay within every budget": _within,
    "choose the same widths again": _repeats,
    "refuse a budget that no plan meets": _refuses,
}
