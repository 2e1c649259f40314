import pytest

from qat.allocate.budget import Budgets, UnmeetableBudgetError, overruns
from qat.allocate.by_threshold import by_threshold
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.problem import Problem, Variable
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


def test_the_threshold_ranks_weights_and_activations_apart():
    names = "abcd"
    layers = tuple(LayerFigures(name, 10, 10, 8, 8) for name in names)
    scores = {"weight": (1, 2, 3, 9), "act": (900, 300, 200, 100)}
    variables = [
        Variable(((name, kind),), {2: score, 4: score / 2, 8: 0.0})
        for kind, own in scores.items()
        for name, score in zip(names, own, strict=True)
    ]
    fixed = Variable((("e", "weight"),), {8: 0.0})
    problem = Problem((*variables, fixed), NetworkCosts((*layers, LayerFigures("e", 1, 1, 8, 8))))
    bits = by_threshold(problem, percentile=60)
    # line at 2.8: a 0, b 1 / 1.8, c and d above; of the others at 280: d 0, c 100 / 180
    assert [bits[name, "weight"] for name in names] == [2, 4, 8, 8]
    assert [bits[name, "act"] for name in names] == [8, 8, 4, 2]
    assert bits["e", "weight"] == 8


def test_scores_that_tell_nothing_give_the_candidate_nearest_to_the_default(two_layers):
    flat = tuple(Variable(v.slots, dict.fromkeys(v.widths, 0.0)) for v in two_layers.variables)
    problem = Problem(flat, two_layers.costs)
    assert set(by_threshold(problem, default_bits=3).values()) == {4}
    assert set(by_threshold(problem, default_bits=2).values()) == {2}


def test_bad_requests(two_layers):
    with pytest.raises(KeyError, match="no allocator 'magic'; there are threshold, greedy, il"):
        allocate("magic", two_layers, None)
    with pytest.raises(ValueError, match=r"allocator ilp needs a budget: give allocate.weight_byt"):
        allocate("ilp", two_layers, None)
    with pytest.raises(ValueError, match=r"options do not fit allocator threshold: .*'p'"):
        allocate("threshold", two_layers, None, {"p": 50})
    with pytest.raises(UnmeetableBudgetError, match="misses weight_bytes=60 by 15"):
        allocate("threshold", two_layers, Budgets(weight_bytes=60))
