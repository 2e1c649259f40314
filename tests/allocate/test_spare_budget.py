from qat.allocate.budget import Budgets
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.greedy import greedy
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import Problem, Variable
from qat.allocate.spare_budget import spend_leftover


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
        (140, [4, 4, 4]),  # not a to 8 bits, which would fit as well
        (160, [8, 4, 4]),
        (999, [8, 8, 8]),
    ):
        budgets = Budgets(weight_bytes=budget)
        least = {("a", "weight"): 4, ("b", "weight"): 2, ("c", "weight"): 4}
        assert list(spend_leftover(problem, least, budgets).values()) == expected
        for allocate in (solve_ilp, greedy) if budget != 140 else ():
            assert list(allocate(problem, budgets).values()) == expected


def test_a_width_that_scores_worse_is_no_gain():
    noisy = Variable((("a", "weight"),), {2: 1.0, 4: 0.0, 8: 0.1})
    problem = Problem((noisy,), NetworkCosts((LayerFigures("a", 80, 1, 8, 8),)))
    four = {("a", "weight"): 4}
    assert spend_leftover(problem, four, Budgets(weight_bytes=999)) == four
    assert solve_ilp(problem, Budgets(weight_bytes=999)) == {("a", "weight"): 4}
