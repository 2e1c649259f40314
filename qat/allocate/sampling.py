"""Random plans that use up a budget: a chosen plan should be better than these."""

from collections.abc import Mapping

import numpy as np

from qat.allocate.budget import Budgets, overruns, unmeetable
from qat.allocate.ilp import nearest
from qat.allocate.problem import Problem
from qat.sensitivity.widths import Slot

_PATIENCE = 50  # so many draws in a row without a new plan end the search


def random_plans(
    problem: Problem, budgets: Budgets, count: int, seed: int = 0
) -> list[dict[Slot, int]]:
    """Different random plans within the budgets, in which no width can be a step wider.

    Each starts from random widths, is narrowed at random places until it fits, then widened at
    random places while it fits: so all plans cost about as much as the budgets allow.

    Args:
        problem: The widths to choose.
        budgets: Limits.
        count: How many plans; there are fewer if 50 draws in a row give no new one.
        seed: Seed of all draws.

    Raises:
        UnmeetableBudgetError: If no plan fits.
    """
    start = nearest(problem, budgets)
    if overruns(problem.costs, start, budgets):
        raise unmeetable(problem.costs, start, budgets)
    random = np.random.default_rng(seed)
    plans: list[dict[Slot, int]] = []
    misses = 0
    while len(plans) < count and misses < _PATIENCE:
        draws = [int(random.choice(variable.widths)) for variable in problem.variables]
        fits = narrow_at_random(problem, problem.bits(draws), budgets, random, start)
        plan = _widen_at_random(problem, fits, budgets, random)
        misses = misses + 1 if plan in plans else 0
        plans += [plan] if plan not in plans else []
    return plans


def narrow_at_random(
    problem: Problem,
    bits: Mapping[Slot, int],
    budgets: Budgets,
    random: np.random.Generator,
    fallback: dict[Slot, int],
) -> dict[Slot, int]:
    """A plan narrowed step by step until it fits.

    Args:
        problem: The widths to choose.
        bits: The plan, slot → width.
        budgets: Limits.
        random: Source of the draws.
        fallback: The plan to take if all widths are narrowest and it still does not fit.
    """
    widths = problem.widths(bits)
    while overruns(problem.costs, problem.bits(widths), budgets):
        moves = _steps(problem, widths, -1)
        if not moves:
            return fallback
        widths = moves[random.integers(len(moves))]
    return problem.bits(widths)


def _widen_at_random(
    problem: Problem, bits: Mapping[Slot, int], budgets: Budgets, random: np.random.Generator
) -> dict[Slot, int]:
    widths = problem.widths(bits)
    while True:
        moves = [
            wider
            for wider in _steps(problem, widths, +1)
            if not overruns(problem.costs, problem.bits(wider), budgets)
        ]
        if not moves:
            return problem.bits(widths)
        widths = moves[random.integers(len(moves))]


def _steps(problem: Problem, widths: list[int], step: int) -> list[list[int]]:
    """Every plan in which one variable is one width up (+1) or down (-1)."""
    plans = []
    for v, variable in enumerate(problem.variables):
        place = variable.widths.index(widths[v]) + step
        if 0 <= place < len(variable.widths):
            plans.append([*widths[:v], variable.widths[place], *widths[v + 1 :]])
    return plans
