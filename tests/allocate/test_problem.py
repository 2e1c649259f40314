import math

import pytest

from qat.allocate.costs import network_costs
from qat.allocate.problem import make_problem
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme
from qat.sensitivity.widths import slots_of
from tests.sensitivity.networks import Chain

SAME = Scheme(first_last="same")


@pytest.fixture
def chain(images):
    net = Chain().eval()
    plan = make_plan(net, SAME, images)
    return net, plan, network_costs(net, plan, images)


def harms(plan, kinds=("weight", "act"), layers=None):
    return {
        slot: {2: 1.0, 4: 0.5, 8: 0.0}
        for slot in slots_of(plan)
        if slot[1] in kinds and slot[0] in (layers or plan.layers)
    }


def variables(problem):
    return {v.slots: v.widths for v in problem.variables}


def test_every_slot_is_a_variable_of_its_own(chain):
    _, plan, costs = chain
    problem = make_problem(harms(plan), plan, costs)
    assert variables(problem) == {(slot,): (2, 4, 8) for slot in slots_of(plan)}
    assert problem.harm(problem.narrowest()) == 6.0
    bits = problem.bits([2, 4, 8, 2, 4, 8])
    assert problem.widths(bits) == [2, 4, 8, 2, 4, 8]
    assert list(bits) == slots_of(plan)


def test_a_group_takes_one_width_and_its_harms_add_up(chain):
    _, plan, costs = chain
    pair = (("first", "weight"), ("head", "weight"))
    problem = make_problem(harms(plan, ["weight"]), plan, costs, groups=[pair])
    assert variables(problem) == {pair: (2, 4, 8), (("second", "weight"),): (2, 4, 8)}
    assert problem.variables[0].harms == {2: 2.0, 4: 1.0, 8: 0.0}
    assert variables(
        make_problem(
            harms(plan, ["weight"]), plan, costs, groups=[pair, (pair[1], ("second", "weight"))]
        )
    ).keys() == {(pair[0], ("second", "weight"), pair[1])}


def test_groups_with_a_fixed_member_are_fixed(chain):
    _, plan, costs = chain
    pair = (("first", "weight"), ("head", "weight"))
    problem = make_problem(harms(plan, ["weight"]), plan, costs, groups=[pair], fixed=["first"])
    assert variables(problem)[pair] == (8,)


def test_a_kind_without_scores_stays_as_planned(chain):
    _, plan, costs = chain
    problem = make_problem(harms(plan, ["weight"]), plan, costs, default_bits=4)
    assert {slot for v in problem.variables for slot in v.slots} == {
        (name, "weight") for name in plan.layers
    }


@pytest.mark.parametrize(("default", "expected"), [(4, (4,)), (None, (8,))])
def test_a_layer_without_a_score_takes_the_default(chain, default, expected):
    _, plan, costs = chain
    known = harms(plan, ["weight"], ["first", "second"])
    problem = make_problem(known, plan, costs, default_bits=default)
    assert variables(problem)[(("head", "weight"),)] == expected


def test_widths_are_those_that_are_asked_for(chain):
    _, plan, costs = chain
    problem = make_problem(harms(plan), plan, costs, widths=[8, 4])
    assert problem.variables[0].widths == (4, 8)


def test_a_width_that_leaves_nothing_is_no_candidate(chain):
    _, plan, costs = chain
    known = harms(plan) | {("first", "act"): {2: math.inf, 8: 0.0}}
    with pytest.raises(ValueError, match=r"no score of first .act. at 4 bits: compute it"):
        make_problem(known, plan, costs)
    known["first", "act"][4] = math.inf
    assert variables(make_problem(known, plan, costs))[(("first", "act"),)] == (8,)
    with pytest.raises(ValueError, match="infinite harm at each of the widths 2, 4: add"):
        make_problem(known, plan, costs, widths=[2, 4])


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        pytest.param(
            {("x", "act"): {2: 1.0}}, {}, KeyError, "no layer 'x' in the plan", id="layer"
        ),
        pytest.param({}, {"fixed": ["y"]}, KeyError, "no layer 'y'", id="fixed layer"),
        pytest.param({}, {"widths": [8]}, ValueError, "nothing to choose", id="one width"),
        pytest.param(
            {("head", "act"): {2: math.nan, 4: 0.0, 8: 0.0}}, {}, ValueError, "is NaN", id="nan"
        ),
    ],
)
def test_bad_input(chain, change, options, error, message):
    _, plan, costs = chain
    with pytest.raises(error, match=message):
        make_problem(harms(plan) | change, plan, costs, **options)
