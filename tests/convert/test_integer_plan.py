"""Plans of integer networks: formats, signs and shared quantizers, by hand."""

import pytest
import torch
from torch import nn

from qat.convert.integer_plan import make_integer_plan
from qat.core.plan import Plan
from qat.core.scheme import Method, Rule, TensorSpec
from qat.graph.operations import UnsupportedOperationError
from tests.convert.integer_networks import integer


def make_plan(net, scheme, images):
    return make_integer_plan(net, scheme, images, {})


def test_every_stored_tensor_is_in_the_plan(net, images):
    plan = make_plan(net, integer(), images)
    by_hand = {
        "input": ("input", True, None),
        "stem": ("conv", True, None),
        "act": ("hardswish", True, None),
        "left": ("conv", True, None),
        "add": ("add", False, None),
        "adaptive_avg_pool": ("adaptive_avg_pool", False, None),
        "squeeze": ("conv", True, None),
        "sigmoid": ("sigmoid", False, None),
        "mul": ("mul", False, None),
        "right": ("conv", False, "mul"),  # it meets the product in the concatenation
        "mean": ("mean", False, None),
        "head": ("linear", True, None),
    }
    found = {n: (t.kind, t.spec.signed, t.shares) for n, t in plan.tensors.items()}
    assert found == by_hand
    assert list(plan.layers) == ["stem", "left", "squeeze", "right", "head"]
    assert plan.placement == "integer"


def test_the_act_of_a_layer_is_that_of_the_tensor_it_reads(net, images):
    plan = make_plan(net, integer(act=TensorSpec(bits=4)), images)
    reads = {"stem": "input", "left": "act", "squeeze": "adaptive_avg_pool", "right": "mul"}
    for layer, tensor in (reads | {"head": "mean"}).items():
        assert plan.layers[layer].act == plan.tensors[tensor].spec


def test_image_logits_and_what_makes_them_are_the_ends(net, images):
    plan = make_plan(net, integer(act=TensorSpec(bits=4)), images)
    eight = {name for name, tensor in plan.tensors.items() if tensor.spec.bits == 8}
    assert eight == {"input", "mean", "head"}
    same = make_plan(net, integer(act=TensorSpec(bits=4), first_last="same"), images)
    assert {tensor.spec.bits for tensor in same.tensors.values()} == {4}


def test_a_rule_is_for_the_tensors_its_layers_make(net, images):
    rules = (
        Rule("left_norm", act={"bits": 3}),  # of the chain of "left"
        Rule("left", weight={"bits": 2}),
        Rule("right", act={"bits": 6}),
    )
    plan = make_plan(net, integer(act=TensorSpec(bits=4), rules=rules), images)
    assert plan.layers["left"].weight.bits == 2
    assert plan.tensors["left"].spec.bits == 3
    # Tensors that share a quantizer have the widest format of any.
    assert plan.tensors["mul"].spec.bits == plan.tensors["right"].spec.bits == 6


def test_a_plan_with_tensors_survives_json(net, images):
    plan = make_plan(net, integer(act=TensorSpec(symmetric=False)), images)
    assert plan.to_dict()["version"] == 2
    assert Plan.from_dict(plan.to_dict()) == plan
    assert list(Plan.from_dict(plan.to_dict()).tensors) == list(plan.tensors)


def test_logits_are_signed_whatever_the_example_shows(net, images):
    with torch.no_grad():
        net.head.bias.fill_(100)
    assert make_plan(net, integer(), images).tensors["head"].spec.signed
    rectified = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    assert not make_plan(rectified, integer(), images).tensors["0"].spec.signed


def test_tensors_that_share_a_quantizer_are_signed_if_one_of_them_is(images):
    class Meeting(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return torch.cat([self.a(x).relu(), self.b(x)], 1)

    plan = make_plan(Meeting().eval(), integer(), images)
    assert plan.tensors["a"].spec.signed
    assert plan.tensors["b"].shares == "a"


REFUSED = {
    "stem: .* 2 to 8 bits everywhere, got 9 bits": integer(TensorSpec(bits=9), first_last="same"),
    "input: .* got float; use scheme.placement=academic": integer(act=TensorSpec(bits=32)),
    "got fp16": integer(act=TensorSpec(format="fp16")),
    "mode=dynamic has no integer placement": integer(act=TensorSpec(quantizer=Method("dynamic"))),
    "stem: .* scales per tensor or channel, not group": integer(
        TensorSpec(granularity="group", group_size=2)
    ),
    "rule 'left': keep_float is not possible": integer(rules=(Rule("left", keep_float=True),)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_has_no_place_in_an_integer_network_is_refused(net, images, message):
    with pytest.raises(ValueError, match=message):
        make_plan(net, REFUSED[message], images)


def test_a_rule_that_matches_nothing_is_refused(net, images):
    asked = integer(rules=(Rule("lefd", act={"bits": 3}),))
    with pytest.raises(KeyError, match="'lefd' matches no layer; did you mean 'left'"):
        make_plan(net, asked, images)


def test_a_network_without_layers_and_one_that_cannot_be_read_are_refused(images):
    with pytest.raises(ValueError, match="nothing to quantize"):
        make_plan(nn.Sequential(nn.ReLU()), integer(), images)
    with pytest.raises(UnsupportedOperationError, match="'1', a Softmax"):
        make_plan(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Softmax(1)), integer(), images)


def test_minima_of_further_images_decide_signs(net, images):
    plan = make_integer_plan(net, integer(), images.abs(), {"input": -0.1})
    assert plan.tensors["input"].spec.signed
    assert not make_plan(net, integer(), images.abs()).tensors["input"].spec.signed
