"""Functions that break one requirement each; the check names that one."""

import itertools
import re

import pytest

from qat.allocate.greedy import greedy
from qat.allocate.ilp import solve_ilp
from qat.allocate.requirements import REQUIREMENTS, check_allocator
from qat.base.requirements import RequirementError

CALLS = itertools.count()


def incomplete(problem, budgets):
    return dict(list(greedy(problem, budgets).items())[1:])


def in_between(problem, budgets):
    greedy(problem, budgets)
    return {slot: 1 for slot in problem.narrowest()}


def each_by_itself(problem, budgets):
    bits = problem.narrowest()
    return bits | {("layer0", "act"): 3}


def spendthrift(problem, budgets):
    return {slot: 8 for slot in problem.narrowest()}


def fickle(problem, budgets):
    bits = greedy(problem, budgets)
    return bits if next(CALLS) % 2 else problem.narrowest()


def without_refusal(problem, budgets):
    return problem.narrowest()


BROKEN = {
    "give each tensor one width": incomplete,
    "choose among the candidates": in_between,
    "give tensors of a group the same width": each_by_itself,
    "stay within every budget": spendthrift,
    "choose the same widths again": fickle,
    "refuse a budget that no plan meets": without_refusal,
}


def test_each_requirement_has_a_function_that_breaks_it():
    assert BROKEN.keys() == REQUIREMENTS.keys()


@pytest.mark.parametrize(("words", "allocator"), BROKEN.items(), ids=list(BROKEN))
def test_a_broken_requirement_is_named(words, allocator):
    message = f"^{allocator.__name__}, average_weight_bits=3.5: it must {re.escape(words)}$"
    with pytest.raises(RequirementError, match=message):
        check_allocator(allocator)


def test_the_exact_one_meets_all_and_options_reach_it():
    report = check_allocator(solve_ilp)
    assert (report.method, len(report.cases)) == ("solve_ilp", 4)
    words = "average_weight_bits=3.5: .* but raised TypeError.*'percentile'"
    with pytest.raises(RequirementError, match=words):
        check_allocator(solve_ilp, {"percentile": 50})
