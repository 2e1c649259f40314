"""Evolutionary search over plans, by what they really do.

After Wang et al., "HAQ", CVPR 2019, arXiv:1811.08886, which asks the network itself instead of a
sum over layers; here with a genetic algorithm for its agent: tournament selection, uniform
crossover, mutation of single widths, the best kept. Every plan is brought within the budgets before
it is evaluated.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qat.allocate.budget import Budgets, overruns
from qat.allocate.problem import Problem
from qat.allocate.sampling import narrow_at_random, random_plans
from qat.base.errors import InputError
from qat.base.progress import Track
from qat.sensitivity.widths import Slot

Evaluate = Callable[[Mapping[Slot, int]], float]


@dataclass(frozen=True)
class EvolvedPlan:
    """The result of a search.

    Attributes:
        bits: The best plan.
        harm: What it did.
        evaluated: Every plan that was tried, with its harm, in order.
    """

    bits: dict[Slot, int]
    harm: float
    evaluated: tuple[tuple[dict[Slot, int], float], ...]


def best_evolved(problem: Problem, budgets: Budgets, **options: Any) -> dict[Slot, int]:
    """The best plan of :func:`evolve`, which has the same arguments."""
    return evolve(problem, budgets, **options).bits


def evolve(
    problem: Problem,
    budgets: Budgets,
    evaluate: Evaluate,
    *,
    evaluations: int = 100,
    population: int = 16,
    mutation: float = 0.1,
    start: Iterable[Mapping[Slot, int]] = (),
    seed: int = 0,
    track: Track | None = None,
) -> EvolvedPlan:
    """Search for the plan of least harm.

    Args:
        problem: What is to be chosen; its harms are not used.
        budgets: Limits.
        evaluate: Plan → harm (an accuracy drop, a loss), lower is better. No plan is asked twice.
        evaluations: How many plans to try at most.
        population: Plans that live at once.
        mutation: Chance of each width to be drawn anew.
        start: Plans to begin with, such as those of other allocators.
        seed: Of all choices.
        track: Wraps the evaluations to show progress.

    Raises:
        UnmeetableBudgetError: If no plan fits.
        ValueError: If there is nothing to evaluate, or an evaluation is NaN.
    """
    if evaluations < 1 or population < 2:
        raise InputError(
            f"evaluations must be 1 or more and population 2 or more, got {evaluations} and "
            f"{population}"
        )
    random = np.random.default_rng(seed)
    first = random_plans(problem, budgets, population, seed)
    given = [narrow_at_random(problem, dict(bits), budgets, random, first[0]) for bits in start]
    waiting = [*given, *first]
    known: dict[tuple[int, ...], tuple[dict[Slot, int], float]] = {}
    for _ in track(range(evaluations)) if track else range(evaluations):
        bits = _next(problem, budgets, waiting, known, random, population, mutation)
        if bits is None:
            break
        harm = float(evaluate(bits))
        if np.isnan(harm):
            raise InputError("the evaluation of a plan is NaN: the network diverges")
        known[tuple(problem.widths(bits))] = (bits, harm)
    best = min(known.values(), key=lambda plan: plan[1])
    assert not overruns(problem.costs, best[0], budgets)
    return EvolvedPlan(*best, tuple(known.values()))


def _next(
    problem: Problem,
    budgets: Budgets,
    waiting: list[dict[Slot, int]],
    known: Mapping[tuple[int, ...], tuple[dict[Slot, int], float]],
    random: np.random.Generator,
    population: int,
    mutation: float,
) -> dict[Slot, int] | None:
    """A plan that was not tried yet; None if none turns up."""
    while waiting:
        bits = waiting.pop(0)
        if tuple(problem.widths(bits)) not in known:
            return bits
    living = sorted(known.values(), key=lambda plan: plan[1])[:population]
    for _ in range(100):
        parents = [
            problem.widths(living[min(random.integers(len(living), size=2))][0]) for _ in "ab"
        ]
        child = [
            int(random.choice(variable.widths))
            if random.random() < mutation
            else parents[random.integers(2)][place]
            for place, variable in enumerate(problem.variables)
        ]
        bits = narrow_at_random(problem, problem.bits(child), budgets, random, living[0][0])
        if tuple(problem.widths(bits)) not in known:
            return bits
    return None
