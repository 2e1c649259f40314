"""The price of a network with choices, and the table that it ends in."""

import math

import pytest
import torch

from qat.allocate.assign import apply_bits
from qat.allocate.budget import Budgets
from qat.allocate.choice import choices, choose_widths
from qat.allocate.costs import network_costs
from qat.allocate.learned import choice_table, overrun_price
from qat.allocate.problem import make_problem
from qat.allocate.registry import allocate
from qat.convert.rules import make_plan
from qat.core.scheme import Scheme, TensorSpec
from tests.allocate.spent import spent_by
from tests.sensitivity.networks import Chain

WIDTHS = (2, 4, 8)


@pytest.fixture
def case(images):
    net = Chain().eval()
    plan = make_plan(net, Scheme(weight=TensorSpec(granularity="channel")), images)
    qnet = choose_widths(net, plan, WIDTHS, [images], fixed=["first", ("second", "act"), "head"])
    return net, plan, network_costs(net, plan, images), qnet


def test_slots_may_be_fixed_one_by_one(case):
    assert [slot for slot, _ in choices(case[-1])] == [("second", "weight")]


def test_the_price_is_the_overrun_by_hand(case):
    _, _, costs, qnet = case
    [second] = [layer for layer in costs.layers if layer.name == "second"]
    others = sum(layer.weights for layer in costs.layers) - second.weights
    expected = others + second.weights * (2 + 4 + 8) / 3 / 8  # the others have 8 bits
    limit = 0.8 * expected
    price = overrun_price(qnet, costs, Budgets(weight_bytes=limit))()
    assert price.item() == pytest.approx(1 / 0.8 - 1, rel=1e-5)
    [(_, choice)] = choices(qnet)
    price.backward()
    # d/dl_i of sum p_i c_i is p_i (c_i - mean c), over the limit.
    mean = 14 / 3
    by_hand = [second.weights / 8 * (w - mean) / 3 / limit for w in WIDTHS]
    assert choice.logits.grad.tolist() == pytest.approx(by_hand, rel=1e-4)


def test_within_the_budgets_there_is_no_price(case):
    _, _, costs, qnet = case
    budgets = Budgets(weight_bytes=1e9, bops=1e12, average_weight_bits=8)
    assert overrun_price(qnet, costs, budgets)().item() == 0


def test_overruns_of_several_budgets_add_up(case):
    _, _, costs, qnet = case
    limits = {"weight_bytes": costs.weight_bytes({}) / 2, "bops": costs.bops({}) / 2}
    alone = [overrun_price(qnet, costs, Budgets(**{n: v}))().item() for n, v in limits.items()]
    assert all(value > 0 for value in alone)
    both = overrun_price(qnet, costs, Budgets(**limits))().item()
    assert both == pytest.approx(sum(alone), rel=1e-6)


def test_average_bits_are_weight_bytes_in_other_words(case):
    _, _, costs, qnet = case
    weights = sum(layer.weights for layer in costs.layers)
    one = overrun_price(qnet, costs, Budgets(average_weight_bits=5))()
    other = overrun_price(qnet, costs, Budgets(weight_bytes=5 * weights / 8))()
    assert one.item() == pytest.approx(other.item(), rel=1e-5)


def test_a_budget_without_a_gradient_is_refused(case):
    _, _, costs, qnet = case
    with pytest.raises(ValueError, match=r"got latency_ms: allocate by ilp"):
        overrun_price(qnet, costs, Budgets(latency_ms=1.0))


def test_the_table_has_minus_log_p(case):
    qnet = case[-1]
    [(_, choice)] = choices(qnet)
    with torch.no_grad():
        choice.logits.copy_(torch.log(torch.tensor([0.2, 0.3, 0.5])))
    table = choice_table(qnet, "of this")
    found = [(row.layer, row.slot, row.bits, row.score) for row in table.rows]
    assert [row[:3] for row in found] == [("second", "weight", w) for w in WIDTHS]
    by_hand = [-math.log(p) for p in (0.2, 0.3, 0.5)]
    assert [row[3] for row in found] == pytest.approx(by_hand, rel=1e-6)
    assert (table.digest, table.unit, table.higher_is_worse) == ("of this", "nats", True)


def test_improbable_widths_stay_in_order(case):
    """So far apart that their probabilities are zeros in any float."""
    [(_, choice)] = choices(case[-1])
    with torch.no_grad():
        choice.logits.copy_(torch.tensor([-900.0, -500.0, 0.0]))
    scores = [row.score for row in choice_table(case[-1], "").rows]
    assert scores == pytest.approx([900.0, 500.0, 0.0])


def test_a_width_beyond_the_learned_one_is_no_worse(case):
    [(_, choice)] = choices(case[-1])
    with torch.no_grad():
        choice.logits.copy_(torch.tensor([-3.0, 0.0, -5.0]))
    narrow, learned, wide = (row.score for row in choice_table(case[-1], "").rows)
    assert wide == learned
    assert narrow == pytest.approx(learned + 3.0)


def test_the_most_probable_plan_within_the_budget(case, images):
    net, plan, costs, qnet = case
    [(slot, choice)] = choices(qnet)
    with torch.no_grad():
        choice.logits.copy_(torch.tensor([0.0, 1.0, 2.0]))
    budgets = Budgets(weight_bytes=costs.weight_bytes({slot: 5}))
    held = ["first", ("second", "act"), "head"]
    harms = choice_table(qnet, "").harms()
    problem = make_problem(harms, plan, costs, widths=WIDTHS, fixed=held)
    bits = allocate("ilp", problem, budgets)
    assert bits[slot] == 4
    spent = spent_by(net, apply_bits(plan, bits), images)
    assert spent["weight_bytes"] <= budgets.weight_bytes
