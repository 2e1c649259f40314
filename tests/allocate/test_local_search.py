"""Changes of one or two widths, against harms of whole plans."""

import itertools

import pytest

from qat.allocate.budget import Budgets, overruns
from qat.allocate.local_search import improved
from tests.allocate.test_clado import with_random_pairs
from tests.allocate.test_ilp import random_budgets, random_problem


def neighbours(problem, bits):
    """Every plan that differs in at most two variables."""
    widths = problem.widths(bits)
    for other in itertools.product(*(v.widths for v in problem.variables)):
        if sum(a != b for a, b in zip(widths, other, strict=True)) <= 2:
            yield problem.bits(other)


def test_no_change_of_two_widths_improves_the_result(all_plans):
    moved = 0
    for seed in range(40):
        problem = with_random_pairs(random_problem(seed), seed, psd="none")
        budgets = random_budgets(problem, list(all_plans(problem)), seed)
        fitting = [b for b, _ in all_plans(problem) if not overruns(problem.costs, b, budgets)]
        if not fitting:
            continue
        start = max(fitting, key=problem.harm)
        found = improved(problem, dict(start), budgets)
        assert not overruns(problem.costs, found, budgets)
        allowed = [b for b in neighbours(problem, found) if not overruns(problem.costs, b, budgets)]
        assert problem.harm(found) == pytest.approx(min(map(problem.harm, allowed)))
        moved += problem.harm(found) < problem.harm(start)
    assert moved > 15


def test_two_changes_at_once_pass_a_budget_that_one_does_not(two_layers):
    wide = {("a", "weight"): 8, ("b", "weight"): 2}
    budgets = Budgets(weight_bytes=150)
    found = improved(two_layers, wide, budgets)
    assert found == {("a", "weight"): 4, ("b", "weight"): 4}
    assert improved(two_layers, found, budgets) == found
