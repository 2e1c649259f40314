"""Budgets, and plans that are counted again from the network and the plan themselves."""

import numpy as np
import pytest

from qat.allocate.activations import activation_steps
from qat.allocate.assign import apply_bits
from qat.allocate.budget import (
    Budgets,
    UnmeetableBudgetError,
    describe,
    overruns,
    unmeetable,
)
from qat.allocate.costs import LayerFigures, NetworkCosts, network_costs
from qat.allocate.greedy import greedy
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import make_problem
from qat.allocate.sampling import random_plans
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme
from qat.sensitivity.widths import slots_of
from tests.allocate.spent import spent_by
from tests.sensitivity.networks import Chain, Residual

SAME = Scheme(first_last="same")
LAYERS = (LayerFigures("a", 101, 1000, 8, 8), LayerFigures("b", 200, 500, 32, 32))


@pytest.mark.parametrize("network", [Chain, Residual])
def test_chosen_plans_obey_their_budgets_by_another_count(network, images):
    net = network().eval()
    random = np.random.default_rng(0)
    plan = make_plan(net, SAME, images)
    latency = {
        name: {(w, a): float(random.uniform(0.1, 1)) for w in (2, 4, 8) for a in (2, 4, 8)}
        for name in plan.layers
    }
    steps = activation_steps(net, plan, images)
    costs = network_costs(net, plan, images, latency, steps)
    harms = {
        slot: {b: float(random.exponential()) / b for b in (2, 4, 8)} for slot in slots_of(plan)
    }
    problem = make_problem(harms, plan, costs)
    everything = [
        spent_by(net, apply_bits(plan, {s: b for s in harms}), images, latency, steps)
        for b in (2, 8)
    ]
    met = 0
    for _ in range(12):
        limits = {}
        for name in random.choice(list(everything[0]), random.integers(1, 4), replace=False):
            low, high = sorted(spent[str(name)] for spent in everything)
            limits[str(name)] = low + random.uniform(0.2, 1.0) * (high - low) + 0.01
        budgets = Budgets(**limits)
        for allocate in (solve_ilp, greedy, lambda p, b: random_plans(p, b, 1)[0]):
            try:
                bits = allocate(problem, budgets)
            except ValueError:
                continue
            spent = spent_by(net, apply_bits(plan, bits), images, latency, steps)
            assert all(spent[name] <= limit * (1 + 1e-12) for name, limit in limits.items())
            assert spent == pytest.approx({name: costs.cost(name, bits) for name in spent})
            met += 1
    assert met > 18


def test_weights_that_stay_float_count_with_32_bits(images):
    net = Chain().eval()
    plan = make_plan(net, Scheme(first_last="float"), images)
    spent = spent_by(net, plan, images)
    assert list(plan.layers) == ["second"]
    assert spent["weight_bytes"] == (144 + 48) * 4 + 32
    assert spent["average_weight_bits"] == pytest.approx((192 * 32 + 32 * 8) / 224)
    assert network_costs(net, plan, images).weight_bytes({}) == spent["weight_bytes"]


def test_widths_of_a_plan_in_words():
    bits = {("a", "weight"): 4, ("a", "act"): 8, ("b", "weight"): 2, ("c", "weight"): 2}
    assert describe(bits) == "W4A8 a, W2 b to c"


def test_overruns_are_shares():
    costs = NetworkCosts(LAYERS)
    assert overruns(costs, {}, Budgets(weight_bytes=901)) == {}
    assert overruns(costs, {}, Budgets(weight_bytes=800, bops=1e9)) == {
        "weight_bytes": pytest.approx(101 / 800)
    }


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        pytest.param({}, "there is no budget: give one or more of weight_bytes", id="none"),
        pytest.param({"bops": 0}, "budget bops must be a number above 0, got 0", id="zero"),
        pytest.param({"bops": float("nan")}, "above 0, got nan", id="nan"),
    ],
)
def test_bad_budgets(limits, message):
    with pytest.raises(ValueError, match=message):
        Budgets(**limits)


def test_an_unmeetable_budget_says_what_the_nearest_plan_misses_and_takes():
    bits = {("a", "weight"): 2, ("b", "weight"): 2}
    budgets = Budgets(weight_bytes=50, average_weight_bits=3)
    error = unmeetable(NetworkCosts(LAYERS), bits, budgets)
    assert isinstance(error, UnmeetableBudgetError)
    assert error.bits is bits
    assert error.spent == {"weight_bytes": 26 + 50, "average_weight_bits": 2}
    assert "misses weight_bytes=50 by 26 (52.00%, it takes 76); allow more" in str(error)
