"""Learned widths: the mixture, its price, and the plan it ends in."""

import pytest
import torch
from torch.nn import functional as F

from qat.allocate.assign import apply_bits
from qat.allocate.budget import Budgets
from qat.allocate.choice import (
    choice_harms,
    choice_parameters,
    choices,
    choose_widths,
    expected_bops,
    expected_weight_bytes,
    set_temperature,
)
from qat.allocate.costs import network_costs
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import make_problem
from qat.convert.calibrate import calibrate, set_phase
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.sensitivity.widths import spec_of
from tests.sensitivity.networks import Chain

WIDTHS = (2, 4, 8)


@pytest.fixture
def case(images):
    net = Chain().eval()
    plan = make_plan(net, Scheme(weight=TensorSpec(granularity="channel")), images)
    costs = network_costs(net, plan, images)
    return net, plan, costs


def chosen_bits(qnet):
    return {slot: choice.widths[int(choice.logits.argmax())] for slot, choice in choices(qnet)}


def decided(qnet, width):
    with torch.no_grad():
        for _, choice in choices(qnet):
            choice.logits.copy_(torch.tensor([40.0 * (w == width) for w in choice.widths]))
    return qnet


@pytest.mark.parametrize("width", WIDTHS)
def test_a_decided_choice_is_the_plan_of_that_width(case, images, width):
    net, plan, _ = case
    qnet = decided(choose_widths(net, plan, WIDTHS, [images], fixed=["first", "head"]), width)
    bits = chosen_bits(qnet)
    assert bits == {("second", "weight"): width, ("second", "act"): width}
    plain = quantize(net, apply_bits(plan, bits))
    calibrate(plain, [images])
    torch.testing.assert_close(qnet(images), plain(images), rtol=0, atol=1e-6)


def test_the_mixture_by_hand(case, images):
    net, plan, _ = case
    qnet = choose_widths(net, plan, WIDTHS, [images], slots=["weight"])
    choice = dict(choices(qnet))["second", "weight"]
    with torch.no_grad():
        choice.logits.copy_(torch.tensor([0.5, 0.25, 0.25]).log())
    weight = net.second.weight
    parts = [quantizer(weight) for quantizer in choice.quantizers]
    expected = 0.5 * parts[0] + 0.25 * parts[1] + 0.25 * parts[2]
    torch.testing.assert_close(choice(weight), expected)
    assert choice.expected([2, 4, 8]).item() == pytest.approx(4)
    set_temperature(qnet, 0.5)
    assert choice.probabilities().tolist() == pytest.approx([4 / 6, 1 / 6, 1 / 6])


def test_off_is_the_float_network(case, images):
    net, plan, _ = case
    qnet = choose_widths(net, plan, WIDTHS, [images])
    set_phase(qnet, "off")
    torch.testing.assert_close(qnet(images), net(images))


def test_prices_by_hand(case, images):
    net, plan, costs = case
    qnet = choose_widths(net, plan, WIDTHS, [images], fixed=["first", "head"])
    mean = (2 + 4 + 8) / 3  # at the start all widths are alike
    assert expected_weight_bytes(qnet, costs).item() == pytest.approx(144 + 48 + 32 * mean / 8)
    assert expected_bops(qnet, costs).item() == pytest.approx((2304 + 48) * 64 + 128 * mean**2)
    decided(qnet, 4)
    bits = chosen_bits(qnet)
    assert expected_weight_bytes(qnet, costs).item() == pytest.approx(costs.weight_bytes(bits))
    assert expected_bops(qnet, costs).item() == pytest.approx(costs.bops(bits))


def test_a_price_drives_widths_down_and_a_loss_up(case, images):
    net, plan, costs = case
    target = net(images).detach()
    ends = {}
    for strength in (0.0, 10.0):
        qnet = choose_widths(net, plan, WIDTHS, [images], slots=["weight"])
        optimizer = torch.optim.Adam(choice_parameters(qnet), lr=0.2)
        for _ in range(60):
            optimizer.zero_grad()
            price = expected_weight_bytes(qnet, costs) / costs.weight_bytes({})
            (100 * F.mse_loss(qnet(images), target) + strength * price).backward()
            optimizer.step()
        ends[strength] = chosen_bits(qnet)
    assert set(ends[0.0].values()) == {8}
    assert costs.weight_bytes(ends[10.0]) < costs.weight_bytes(ends[0.0])


def test_steps_of_learned_quantizers_train_along(case, images):
    net, _, _ = case
    lsq = TensorSpec(granularity="channel", quantizer=Method("lsq"))
    plan = make_plan(net, Scheme(weight=lsq), images)
    qnet = choose_widths(net, plan, WIDTHS, [images], slots=["weight"])
    qnet(images).square().sum().backward()
    named = {name: p for name, p in qnet.named_parameters() if name.endswith((".step", ".logits"))}
    assert len(named) == 3 * (3 + 1)
    assert all(p.grad is not None for p in named.values())


def test_the_most_probable_plan_within_a_budget(case, images):
    net, plan, costs = case
    qnet = choose_widths(net, plan, WIDTHS, [images], slots=["weight"])
    with torch.no_grad():
        for (layer, _), choice in choices(qnet):
            sure = {"first": 0.1, "second": 3.0, "head": 3.0}[layer]
            choice.logits.copy_(torch.tensor([-1.0, 0.0, sure]))  # all would have 8 bits
    problem = make_problem(choice_harms(qnet), plan, costs)
    bits = solve_ilp(problem, Budgets(weight_bytes=72 + 32 + 48))
    assert list(bits.values()) == [4, 8, 8]  # the least sure gives way
    assert spec_of(apply_bits(plan, bits), ("first", "weight")).bits == 4


def test_it_survives_a_checkpoint(case, images):
    net, plan, _ = case
    nets = [choose_widths(net, plan, WIDTHS, [images]) for _ in range(2)]
    decided(nets[0], 2)
    nets[1].load_state_dict(nets[0].state_dict())
    assert torch.equal(nets[0](images), nets[1](images))


def test_bad_input(case, images):
    net, plan, _ = case
    with pytest.raises(ValueError, match="no candidate widths"):
        choose_widths(net, plan, [], [images])
    with pytest.raises(ValueError, match="temperature must be above 0, got 0"):
        set_temperature(net, 0)
    integer = make_plan(net, Scheme(placement="integer"), images)
    with pytest.raises(ValueError, match=r"learned widths need scheme.placement=academic"):
        choose_widths(net, integer, WIDTHS, [images])
