"""The percentile threshold over the weights and the activations of a problem."""

import pytest

from qat.allocate.budget import Budgets, UnmeetableBudgetError
from qat.allocate.by_threshold import by_threshold
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.problem import Problem, Variable


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


def test_a_plan_above_the_budget_is_narrowed(two_layers):
    # 2 bits for a (harmless), 8 for b: 25 + 200 bytes
    assert list(by_threshold(two_layers).values()) == [2, 8]
    assert list(by_threshold(two_layers, Budgets(weight_bytes=130)).values()) == [2, 4]
    with pytest.raises(UnmeetableBudgetError):
        by_threshold(two_layers, Budgets(weight_bytes=60))


def test_the_reference_width_ranks_the_layers():
    names = "ab"
    costs = NetworkCosts(tuple(LayerFigures(name, 10, 10, 8, 8) for name in names))
    harms = {"a": {2: 9.0, 4: 1.0, 8: 0.0}, "b": {2: 5.0, 4: 4.0, 8: 0.0}}
    problem = Problem(tuple(Variable(((n, "weight"),), harms[n]) for n in names), costs)
    assert list(by_threshold(problem).values()) == [8, 2]  # by the narrowest
    assert list(by_threshold(problem, reference_bits=4).values()) == [2, 8]
