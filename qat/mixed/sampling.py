"""Random plans that use up a budget: what a chosen plan has to beat."""

import numpy as np

from qat.mixed.budget import Budgets, overruns, unmeetable
from qat.mixed.ilp import nearest
from qat.mixed.problem import Problem
from qat.mixed.widths import Slot

_PATIENCE = 50  # draws in a row without a new plan: there are no more


def random_plans(
    problem: Problem, budgets: Budgets, count: int, seed: int = 0
) -> list[dict[Slot, int]]:
    """Different random plans within the budgets, none of which could be wider in one place.

    Each starts from random widths, is narrowed at random places until it fits, then widened at
    random places while it fits: so all cost about what the budgets allow.

    Args:
        problem: What is to be chosen.
        budgets: Limits.
        count: How many; fewer come back if there are no more to be found.
        seed: Of the choices.

    Raises:
        UnmeetableBudgetError: If no plan fits.
    """
    start = nearest(problem, budgets)
    if overruns(problem.costs, start, budgets):
        raise unmeetable(problem.costs, start, budgets)
    random = np.random.default_rng(seed)
    found: list[dict[Slot, int]] = []
    misses = 0
    while len(found) < count and misses < _PATIENCE:
        plan = random_plan(problem, budgets, random, start)
        misses = misses + 1 if plan in found else 0
        found += [plan] if plan not in found else []
    return found


def random_plan(
    problem: Problem, budgets: Budgets, random: np.random.Generator, fallback: dict[Slot, int]
) -> dict[Slot, int]:
    """One of them; ``fallback`` is widened where narrowing leads nowhere."""
    draws = [int(random.choice(variable.widths)) for variable in problem.variables]
    return fit_to_budget(problem, problem.bits(draws), budgets, random, fallback)


def fit_to_budget(
    problem: Problem,
    bits: dict[Slot, int],
    budgets: Budgets,
    random: np.random.Generator,
    fallback: dict[Slot, int],
) -> dict[Slot, int]:
    """A plan narrowed at random until it fits, then widened at random while it does."""
    widths = problem.widths(bits)
    order = list(range(len(widths)))
    while overruns(problem.costs, problem.bits(widths), budgets):
        can = [v for v in order if widths[v] > problem.variables[v].widths[0]]
        if not can:
            widths = problem.widths(fallback)
            break
        v = int(random.choice(can))
        options = problem.variables[v].widths
        widths[v] = options[options.index(widths[v]) - 1]
    random.shuffle(order)
    for v in order:
        for width in reversed(problem.variables[v].widths):
            wider = [*widths[:v], width, *widths[v + 1 :]]
            if width > widths[v] and not overruns(problem.costs, problem.bits(wider), budgets):
                widths = wider
                break
    return problem.bits(widths)
