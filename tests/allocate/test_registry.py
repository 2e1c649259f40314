import pytest

from qat.allocate.budget import Budgets, UnmeetableBudgetError, overruns
from qat.allocate.registry import ALLOCATORS, MEASURING, allocate
from qat.config.yaml_files import files
from tests.allocate.test_ilp import random_budgets, random_problem


def test_every_allocator_has_its_yaml_file_and_its_function():
    assert {*ALLOCATORS, "user"} == set(files("allocate"))
    assert all(callable(allocator) for allocator in ALLOCATORS.values())
    assert {*MEASURING} <= {*ALLOCATORS}


@pytest.mark.parametrize("name", [name for name in ALLOCATORS if name not in MEASURING])
def test_every_allocator_meets_any_budget(name, all_plans):
    met = 0
    for seed in range(40):
        problem = random_problem(seed)
        budgets = random_budgets(problem, list(all_plans(problem)), seed)
        try:
            bits = allocate(name, problem, budgets)
        except UnmeetableBudgetError:
            continue
        assert not overruns(problem.costs, bits, budgets)
        assert set(bits) == {slot for v in problem.variables for slot in v.slots}
        met += 1
    assert met > 15


def test_bad_requests(two_layers):
    with pytest.raises(KeyError, match="no allocator 'magic'; there are threshold, greedy, il"):
        allocate("magic", two_layers, None)
    with pytest.raises(ValueError, match=r"allocator ilp needs a budget: give allocate.weight_byt"):
        allocate("ilp", two_layers, None)
    with pytest.raises(ValueError, match=r"options do not fit allocator threshold: .*'p'"):
        allocate("threshold", two_layers, None, {"p": 50})
    with pytest.raises(UnmeetableBudgetError, match="misses weight_bytes=60 by 15"):
        allocate("threshold", two_layers, Budgets(weight_bytes=60))
