"""Costs of widths, by hand; and counted again from the plans themselves."""

import numpy as np
import pytest

from qat.allocate.activations import activation_steps
from qat.allocate.assign import apply_bits
from qat.allocate.budget import Budgets, describe, overruns, spent_by
from qat.allocate.costs import LayerFigures, NetworkCosts, latency_table, network_costs
from qat.allocate.greedy import greedy
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import make_problem
from qat.allocate.sampling import random_plans
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme, TensorSpec
from qat.sensitivity.widths import slots_of
from tests.sensitivity.networks import Chain, Residual

SAME = Scheme(first_last="same")
LAYERS = (LayerFigures("a", 101, 1000, 8, 8), LayerFigures("b", 200, 500, 32, 32))


def test_costs_by_hand():
    costs = NetworkCosts(LAYERS, latency={"a": {(8, 8): 1.5, (2, 8): 1.0}, "b": {(32, 32): 4.0}})
    assert costs.weight_bytes({}) == 101 + 800
    assert costs.bops({}) == 1000 * 64 + 500 * 1024
    assert costs.average_weight_bits({}) == pytest.approx((101 * 8 + 200 * 32) / 301)
    assert costs.latency_ms({}) == 5.5
    narrow = {("a", "weight"): 2}
    assert costs.weight_bytes(narrow) == 26 + 800  # 25.25 bytes rounded up
    assert costs.bops(narrow) == 1000 * 16 + 500 * 1024
    assert costs.latency_ms(narrow) == 5.0


def test_fp16_counts_sixteen_bits():
    costs = NetworkCosts(LAYERS)
    both = {("b", "weight"): 16, ("b", "act"): 16}
    assert costs.weight_bytes(both) == 101 + 400
    assert costs.bops(both) == 1000 * 64 + 500 * 256


def test_a_latency_table_from_rows():
    row = {"layer": "a", "weight_bits": 8, "act_bits": 4, "latency_ms": 0.25}
    assert latency_table([row, row | {"act_bits": 8}]) == {"a": {(8, 4): 0.25, (8, 8): 0.25}}
    for rows, message in (
        ([row, row], "latency of a at W8A4 is there twice"),
        ([row | {"latency_ms": float("nan")}], "must be a number from 0 on, got nan ms"),
        ([{"layer": "a"}], "lacks 'weight_bits'"),
    ):
        with pytest.raises(ValueError, match=message):
            latency_table(rows)


def test_a_latency_table_of_another_network_is_refused(images):
    net = Chain().eval()
    plan = make_plan(net, SAME, images)
    with pytest.raises(ValueError, match=r"unknown \['conv1'\], missing \['first', 'second'"):
        network_costs(net, plan, images, {"conv1": {(8, 8): 1.0}})


def test_a_pair_that_was_not_measured_is_named():
    costs = NetworkCosts(LAYERS[:1], latency={"a": {(8, 8): 1.5}})
    with pytest.raises(ValueError, match="no W4A8 of layer 'a', only W8A8: measure it"):
        costs.latency_ms({("a", "weight"): 4})
    with pytest.raises(ValueError, match="latency_ms needs a measured table"):
        NetworkCosts(LAYERS).latency_ms({})
    with pytest.raises(ValueError, match="needs the lifetimes of tensors"):
        NetworkCosts(LAYERS).peak_activation_bytes({})


def test_a_chains_activations_by_hand(images):
    net = Chain().eval()
    plan = make_plan(net, SAME, images)
    steps = activation_steps(net, plan, images)
    found = [(step.name, step.fixed_bits, dict(step.elements)) for step in steps]
    assert found == [
        ("input", 0, {"first": 32}),
        ("first", 0, {"first": 32, "second": 128}),  # with its ReLU: one tensor
        ("pool", 0, {"second": 128 + 32}),
        ("second", 0, {"second": 32, "head": 16}),
        ("head", 3 * 32, {"head": 16}),  # the logits stay float
    ]
    costs = network_costs(net, plan, images, steps=steps)
    assert costs.peak_activation_bytes({}) == 160
    assert costs.peak_activation_bytes({("second", "act"): 4}) == 32 + 64


def test_a_shortcuts_activations_by_hand(images):
    net = Residual().eval()
    plan = make_plan(net, SAME, images)
    steps = {step.name: step for step in activation_steps(net, plan, images)}
    assert list(steps) == ["input", "stem", "left", "right", "add", "mean", "head"]
    assert (steps["stem"].fixed_bits, steps["stem"].elements) == (0, {"stem": 32, "left": 64})
    assert (steps["left"].fixed_bits, steps["left"].elements) == (64 * 32, {"left": 64})
    # while the right convolution runs: its input, its output, and that of the left one
    assert (steps["right"].fixed_bits, steps["right"].elements) == (128 * 32, {"left": 64})
    assert (steps["add"].fixed_bits, steps["add"].elements) == (3 * 64 * 32, {})
    assert (steps["mean"].fixed_bits, steps["mean"].elements) == (64 * 32, {"head": 4})


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


def test_specs_without_integer_codes_have_their_width(images):
    net = Chain().eval()
    plan = make_plan(net, Scheme(weight=TensorSpec(format="fp16"), first_last="same"), images)
    assert spent_by(net, plan, images)["weight_bytes"] == 2 * 224
