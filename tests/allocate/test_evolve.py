import pytest

from qat.allocate.budget import Budgets, UnmeetableBudgetError, overruns
from qat.allocate.costs import LayerFigures, NetworkCosts
from qat.allocate.evolve import evolve
from qat.allocate.problem import Problem, Variable


@pytest.fixture
def problem():
    """Five slots of four widths: 1,024 plans."""
    layers = tuple(LayerFigures(name, 40, 10, 8, 8) for name in "abcde")
    harms = dict.fromkeys((2, 3, 4, 8), 0.0)
    variables = tuple(Variable(((name, "weight"),), harms) for name in "abcde")
    return Problem(variables, NetworkCosts(layers))


def harm(bits):
    """Slots that depend on each other: no sum over slots has this minimum."""
    a, b, c, d, e = (bits[name, "weight"] for name in "abcde")
    return abs(a - e) + abs(b - 4) + abs(c * d - 24) / 8


BUDGET = Budgets(average_weight_bits=4)


def test_finds_the_best_plan(problem, all_plans):
    best = min(
        harm(bits) for bits, _ in all_plans(problem) if not overruns(problem.costs, bits, BUDGET)
    )
    found = evolve(problem, BUDGET, harm, evaluations=150, seed=1)
    assert found.harm == best == harm(found.bits)
    assert not overruns(problem.costs, found.bits, BUDGET)


def test_asks_no_plan_twice_and_none_beyond_the_budget(problem):
    asked = []

    def evaluate(bits):
        asked.append(tuple(bits.values()))
        assert not overruns(problem.costs, bits, BUDGET)
        return harm(bits)

    given = problem.bits([4, 4, 4, 4, 4])
    found = evolve(problem, BUDGET, evaluate, evaluations=60, start=[given, given])
    assert len(asked) == len(set(asked)) == len(found.evaluated) <= 60
    assert found.harm == min(score for _, score in found.evaluated)


def test_the_seed_decides(problem):
    runs = [evolve(problem, BUDGET, harm, evaluations=30, seed=seed) for seed in (3, 3, 4)]
    assert runs[0] == runs[1]
    assert runs[0].evaluated != runs[2].evaluated


def test_begins_with_the_plans_it_is_given(problem):
    given = problem.bits([8, 2, 2, 2, 2])
    tracked = []

    def track(runs):
        tracked.append(len(runs))
        return runs

    found = evolve(problem, BUDGET, harm, evaluations=5, start=[given], track=track)
    assert found.evaluated[0][0]["a", "weight"] == 8
    assert tracked == [5]


def test_a_space_that_is_searched_through_ends_early(two_layers):
    found = evolve(two_layers, Budgets(weight_bytes=200), lambda bits: 1.0, evaluations=500)
    assert len(found.evaluated) < 10


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        pytest.param({"evaluations": 0}, ValueError, "got 0 and 16", id="none"),
        pytest.param({"evaluate": lambda _: float("nan")}, ValueError, "is NaN", id="nan"),
        pytest.param(
            {"budgets": Budgets(average_weight_bits=1)}, UnmeetableBudgetError, "by 1 ", id="budget"
        ),
    ],
)
def test_bad_input(problem, change, error, message):
    given = {"budgets": BUDGET, "evaluate": harm} | change
    with pytest.raises(error, match=message):
        evolve(problem, **given)
