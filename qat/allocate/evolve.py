"""Evolutionary search over plans that are evaluated as a whole.

As Wang et al., "HAQ", CVPR 2019, arXiv:1811.08886, it evaluates the network with a plan and adds no
scores of layers up. Differs from the paper: the search is a genetic algorithm and not a
reinforcement-learning agent, with tournament selection, uniform crossover and mutation of single
widths; the best plans survive. Every plan is brought within the budgets before it is evaluated.

Cites: wang2019haq.
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
"""Slot → width, to a harm: lower is better."""


@dataclass(frozen=True)
class EvolvedPlan:
    """The result of a search.

    Attributes:
        bits: The best plan.
        harm: Harm of that plan.
        evaluated: ``(plan, harm)`` of every plan that was evaluated, in order.
    """

    bits: dict[Slot, int]
    harm: float
    evaluated: tuple[tuple[dict[Slot, int], float], ...]


def best_evolved(problem: Problem, budgets: Budgets, **options: Any) -> dict[Slot, int]:
    """The best plan of :func:`evolve`.

    Args:
        problem: The widths to choose; its harms are not used.
        budgets: Limits.
        options: The other arguments of :func:`evolve`, ``evaluate`` among them.

    Raises:
        UnmeetableBudgetError: If no plan fits.
        ValueError: As :func:`evolve`.
    """
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
        problem: The widths to choose; its harms are not used.
        budgets: Limits.
        evaluate: Plan → harm (an accuracy drop, a loss), lower is better. It is called once for
            each plan.
        evaluations: How many plans to evaluate at most.
        population: Number of plans that can be parents.
        mutation: Probability that a width is drawn anew.
        start: Plans to begin with, such as those of other allocators.
        seed: Seed of all draws.
        track: Wraps the evaluations to show progress.

    Raises:
        UnmeetableBudgetError: If no plan fits.
        ValueError: If there are too few evaluations or plans, or an evaluation is NaN.

    Example:
        >>> from qat.allocate.costs import LayerFigures, NetworkCosts
        >>> from qat.allocate.problem import Variable
        >>> variable = Variable((("fc", "weight"),), {2: 0.0, 4: 0.0, 8: 0.0})
        >>> problem = Problem((variable,), NetworkCosts((LayerFigures("fc", 8, 8, 8, 8),)))
        >>> def distance(bits):
        ...     return abs(bits["fc", "weight"] - 4)
        >>> evolve(problem, Budgets(weight_bytes=8), distance, population=4).bits
        {('fc', 'weight'): 4}
    """
    if evaluations < 1 or population < 2:
        raise InputError(
            f"evaluations must be 1 or more and population 2 or more, got {evaluations} and "
            f"{population}"
        )
    random = np.random.default_rng(seed)
    first = random_plans(problem, budgets, population, seed)
    started = [narrow_at_random(problem, dict(bits), budgets, random, first[0]) for bits in start]
    waiting = [*started, *first]
    known: dict[tuple[int, ...], tuple[dict[Slot, int], float]] = {}
    for _ in track(range(evaluations)) if track else range(evaluations):
        bits = _next(problem, budgets, waiting, known, random, population, mutation)
        if bits is None:
            break
        known[tuple(problem.widths(bits))] = (bits, _harm(evaluate, bits))
    best = min(known.values(), key=lambda plan: plan[1])
    assert not overruns(problem.costs, best[0], budgets)
    return EvolvedPlan(*best, tuple(known.values()))


def _harm(evaluate: Evaluate, bits: Mapping[Slot, int]) -> float:
    harm = float(evaluate(bits))
    if np.isnan(harm):
        raise InputError(
            "the evaluation of a plan is NaN, because the network diverges with it: leave the "
            "narrowest width out, or calibrate with other images"
        )
    return harm


def _next(
    problem: Problem,
    budgets: Budgets,
    waiting: list[dict[Slot, int]],
    known: Mapping[tuple[int, ...], tuple[dict[Slot, int], float]],
    random: np.random.Generator,
    population: int,
    mutation: float,
) -> dict[Slot, int] | None:
    """A plan that has not been evaluated; None if 100 draws give none."""
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
