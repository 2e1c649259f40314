"""Plans with chosen widths, in both placements."""

import pytest
from torch import nn

from qat.allocate.assign import apply_bits, fixed_layers
from qat.allocate.budget import Budgets
from qat.allocate.costs import network_costs
from qat.allocate.ilp import solve_ilp
from qat.allocate.problem import make_problem
from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec
from qat.sensitivity.groups import tensors_read
from qat.sensitivity.widths import slots_of, spec_of
from tests.sensitivity.networks import Chain, Residual

INTEGER = Scheme(placement="integer")


@pytest.fixture
def net():
    return Residual().eval()


def test_integer_plans_get_their_widths(net, images):
    plan = make_plan(net, INTEGER, images)
    reads = tensors_read(net)
    assert reads == {"stem": "input", "left": "stem", "right": "stem", "head": "mean"}
    bits = {("left", "weight"): 3, ("left", "act"): 4, ("right", "act"): 3, ("head", "act"): 2}
    chosen = apply_bits(plan, bits, reads)
    assert chosen.layers["left"].weight.bits == 3
    assert chosen.layers["right"].act.bits == 4  # the widest that is asked of the tensor
    assert {name: t.spec.bits for name, t in chosen.tensors.items()} == {
        "input": 8, "stem": 4, "left": 8, "right": 8, "add": 8, "mean": 2, "head": 8,
    }  # fmt: skip
    qnet = quantize(net, chosen)
    calibrate(qnet, [images])
    assert qnet(images).isfinite().all()


def test_plans_of_wrong_slots_are_refused(net, images):
    plan = make_plan(net, Scheme(act=TensorSpec(format="float")), images)
    with pytest.raises(KeyError, match="no layer 'conv9' in the plan; it has stem, left"):
        apply_bits(plan, {("conv9", "weight"): 4})
    with pytest.raises(ValueError, match=r"left .act. is float in the plan"):
        apply_bits(plan, {("left", "act"): 4})
    integer = make_plan(net, INTEGER, images)
    with pytest.raises(ValueError, match="placement=integer takes 2 to 8 bits, got 16"):
        apply_bits(integer, {("left", "weight"): 16}, tensors_read(net))
    with pytest.raises(ValueError, match="needs the tensor that each layer reads"):
        apply_bits(integer, {("left", "weight"): 4})


def test_a_layer_that_is_float_throughout_is_left_out(net, images):
    plan = make_plan(net, Scheme(first_last="same"), images)
    chosen = apply_bits(plan, {("left", "weight"): 32, ("left", "act"): 32, ("head", "act"): 32})
    assert list(chosen.layers) == ["stem", "right", "head"]
    assert chosen.left_float == (("left", "Conv2d"),)
    assert chosen.layers["head"].act.is_off
    qnet = quantize(net, chosen)
    calibrate(qnet, [images])
    assert type(qnet.left) is nn.Conv2d


def test_widths_go_there_and_back(net, images):
    plan = make_plan(net, Scheme(first_last="same"), images)
    widths = (2, 3, 4, 6, 8, 16, 32)
    bits = {slot: widths[i % 7] for i, slot in enumerate(slots_of(plan))}
    chosen = apply_bits(plan, bits)
    there = {slot: own for slot, own in bits.items() if own != 32}  # what is float is no slot
    assert {slot: spec_of(chosen, slot).stored_bits for slot in slots_of(chosen)} == there
    assert chosen.layers["left"].weight.quantizer == plan.layers["left"].weight.quantizer


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("same", ()), (8, ("first", "head")), ("fp16", ("first", "head")), ("float", ())],
)
def test_first_and_last_are_what_the_policy_says(images, policy, expected):
    net = Chain().eval()
    scheme = Scheme(weight=TensorSpec(bits=4), act=TensorSpec(bits=4), first_last=policy)
    plan = make_plan(net, scheme, images)
    costs = network_costs(net, plan, images)
    assert fixed_layers(costs, plan, policy) == expected
    harms = {slot: {2: 1.0, 4: 0.5} for slot in slots_of(plan)}
    problem = make_problem(harms, plan, costs, fixed=fixed_layers(costs, plan, policy))
    chosen = apply_bits(plan, solve_ilp(problem, Budgets(weight_bytes=10**6)))
    for name in expected:
        assert chosen.layers[name] == plan.layers[name]
    assert spec_of(chosen, ("second", "weight")).bits == 4
