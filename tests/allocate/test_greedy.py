import itertools

import pytest

from qat.allocate.budget import Budgets, UnmeetableBudgetError, overruns
from qat.allocate.greedy import greedy, greedy_front, narrowed
from tests.allocate.test_ilp import random_budgets, random_problem


def test_the_way_by_hand(two_layers):
    # from 75 bytes: b to 4 gains 7 for 50 bytes (0.14), b to 8 10 for 150, a to 4 0.5 for 25;
    # then b to 8 gains 3 for 100 (0.03), a to 4 0.5 for 25 (0.02)
    front = greedy_front(two_layers)
    assert [(point.cost, point.harm) for point in front] == [
        (75, 11),
        (125, 4),
        (225, 1),
        (250, 0.5),
        (300, 0),
    ]
    assert front[1].bits == {("a", "weight"): 2, ("b", "weight"): 4}


@pytest.mark.parametrize("cost", ["weight_bytes", "bops", "latency_ms", "peak_activation_bytes"])
def test_the_front_is_monotone(cost):
    for seed in range(40):
        front = greedy_front(random_problem(seed), cost)
        for before, after in itertools.pairwise(front):
            assert after.cost > before.cost
            assert after.harm < before.harm


def test_the_front_ends_at_the_least_harm(all_plans):
    for seed in range(20):
        problem = random_problem(seed)
        assert greedy_front(problem)[-1].harm == pytest.approx(
            min(harm for _, harm in all_plans(problem))
        )


def test_plans_obey_all_budgets(all_plans):
    worse = 0
    for seed in range(60):
        problem = random_problem(seed)
        plans = list(all_plans(problem))
        budgets = random_budgets(problem, plans, seed)
        harms = [harm for bits, harm in plans if not overruns(problem.costs, bits, budgets)]
        if not harms:
            with pytest.raises(UnmeetableBudgetError):
                greedy(problem, budgets)
            continue
        found = greedy(problem, budgets)
        assert not overruns(problem.costs, found, budgets)
        assert problem.harm(found) >= min(harms) - 1e-9
        worse += problem.harm(found) > min(harms) + 1e-9
        widest = problem.bits([variable.widths[-1] for variable in problem.variables])
        assert not overruns(problem.costs, narrowed(problem, widest, budgets), budgets)
    assert worse < 30  # it is a heuristic, but not a bad one


def test_narrowing_takes_from_the_harmless(two_layers):
    widest = two_layers.bits([8, 8])
    assert narrowed(two_layers, widest, Budgets(weight_bytes=260)) == {
        ("a", "weight"): 4,
        ("b", "weight"): 8,
    }
