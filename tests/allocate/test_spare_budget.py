from qat.allocate.budget import Budgets
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.greedy import greedy
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import Problem, Variable


def test_what_is_left_goes_to_the_narrowest():
    layers = tuple(LayerFigures(name, 80, 1, 8, 8) for name in "abc")
    harms = {
        "a": {2: 1.0, 4: 0.0, 8: 0.0},
        "b": {2: 0.0, 4: 0.0, 8: 0.0},
        "c": {2: 5.0, 4: 0.0, 8: 0},
    }
    variables = tuple(Variable(((name, "weight"),), own) for name, own in harms.items())
    problem = Problem(variables, NetworkCosts(layers))
    # 10 bytes a bit: harm 0 takes 4 + 2 + 4 bits; two more go to b, four to one of the equals
    for budget, expected in (
        (100, [4, 2, 4]),
        (120, [4, 4, 4]),
        (160, [8, 4, 4]),
        (999, [8, 8, 8]),
    ):
        for allocate in (solve_ilp, greedy):
            found = allocate(problem, Budgets(weight_bytes=budget))
            assert list(found.values()) == expected


def test_a_width_that_scores_worse_is_no_gain():
    noisy = Variable((("a", "weight"),), {2: 1.0, 4: 0.0, 8: 0.1})
    problem = Problem((noisy,), NetworkCosts((LayerFigures("a", 80, 1, 8, 8),)))
    assert solve_ilp(problem, Budgets(weight_bytes=999)) == {("a", "weight"): 4}
