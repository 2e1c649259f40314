import pytest

from qat.allocate.budget import Budgets, UnmeetableBudgetError, overruns
from qat.allocate.sampling import random_plans
from tests.allocate.test_ilp import random_budgets, random_problem


def test_plans_differ_and_obey(all_plans):
    checked = 0
    for seed in range(30):
        problem = random_problem(seed)
        budgets = random_budgets(problem, list(all_plans(problem)), seed)
        try:
            plans = random_plans(problem, budgets, 5, seed)
        except UnmeetableBudgetError:
            continue
        assert plans == random_plans(problem, budgets, 5, seed)
        assert all(plans.count(bits) == 1 for bits in plans)
        for bits in plans:
            assert not overruns(problem.costs, bits, budgets)
            checked += 1
    assert checked > 40


def test_plans_use_the_budget_up(two_layers):
    plans = random_plans(two_layers, Budgets(weight_bytes=200), 20)
    found = sorted((p["a", "weight"], p["b", "weight"]) for p in plans)
    # 25 bytes a bit of a, 50 of b (for two): 8 and 4 take 200, 4 and 4 could be widened
    assert found == [(8, 4)]
    found = {tuple(p.values()) for p in random_plans(two_layers, Budgets(weight_bytes=249), 20)}
    assert found == {(2, 8), (8, 4)}


def test_there_may_be_none(two_layers):
    with pytest.raises(UnmeetableBudgetError, match="misses weight_bytes=60 by 15"):
        random_plans(two_layers, Budgets(weight_bytes=60), 3)
