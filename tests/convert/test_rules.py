"""From a scheme to a plan."""

import pytest
import torch
from torch import nn

from qat.convert.rules import make_plan, plan_of, with_signs
from qat.convert.swap import quantize
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Rule, Scheme, TensorSpec

W4A4 = Scheme(weight=TensorSpec(bits=4, granularity="channel"), act=TensorSpec(bits=4))


def bits(plan):
    return {name: (p.weight.stored_bits, p.act.stored_bits) for name, p in plan.layers.items()}


def scheme(**changes):
    return Scheme(weight=W4A4.weight, act=W4A4.act, **changes)


@pytest.mark.parametrize(
    ("policy", "ends"),
    [(8, (8, 8)), ("same", (4, 4)), ("fp16", (16, 16)), ("float", None)],
)
def test_first_and_last_layer_by_policy(tiny_model, tiny_images, policy, ends):
    found = bits(make_plan(tiny_model, scheme(first_last=policy), tiny_images))
    assert found.get("stem") == found.get("head") == ends
    assert found["depthwise"] == found["grouped"] == (4, 4)


@pytest.mark.parametrize("policy", [8, "float"])
def test_a_plan_names_the_ends_whether_they_are_quantized_or_not(tiny_model, tiny_images, policy):
    plan = make_plan(tiny_model, scheme(first_last=policy), tiny_images)
    assert plan.ends == Plan.from_dict(plan.to_dict()).ends == ("stem", "head")


def test_later_rules_win_and_all_win_over_the_ends(tiny_model, tiny_images):
    rules = (
        Rule("*", weight={"bits": 3}),
        Rule("d*", weight={"bits": 6}, act={"bits": 7}),
        Rule("head", keep_float=True),
        Rule("head", weight={"bits": 5}),
    )
    found = bits(make_plan(tiny_model, scheme(rules=rules), tiny_images))
    assert found == {
        "stem": (3, 8),
        "depthwise": (6, 7),
        "grouped": (3, 4),
        "head": (5, 32),
    }


def test_a_rule_that_matches_nothing_is_an_error_with_the_names(tiny_model, tiny_images):
    with pytest.raises(
        KeyError,
        match=r"rule 'hed' matches no layer; did you mean 'head'; there are stem, depthwise",
    ):
        make_plan(tiny_model, scheme(rules=(Rule("hed", keep_float=True),)), tiny_images)


def test_inputs_never_negative_get_unsigned_codes(tiny_model, tiny_images):
    plan = make_plan(tiny_model, W4A4, tiny_images)
    signs = {name: p.act.signed for name, p in plan.layers.items()}
    # The image and the depthwise output are of both signs; the others stand behind a ReLU.
    assert signs == {"stem": True, "depthwise": False, "grouped": True, "head": False}
    assert all(p.weight.signed for p in plan.layers.values())


def test_asymmetric_inputs_are_unsigned_and_an_asked_sign_stays(tiny_model, tiny_images):
    asymmetric = Scheme(act=TensorSpec(symmetric=False))
    plan = make_plan(tiny_model, asymmetric, tiny_images)
    assert not any(p.act.signed for p in plan.layers.values())
    signed = make_plan(tiny_model, Scheme(act=TensorSpec(signed=True)), tiny_images)
    assert all(p.act.signed for p in signed.layers.values())


def test_open_signs_are_decided_by_an_example(tiny_model, tiny_images):
    plan = make_plan(tiny_model, W4A4, tiny_images)
    opened = plan
    for name in plan.layers:
        opened = opened.change(name, act=plan.layers[name].act.but(signed=None))
    assert with_signs(opened, tiny_model, tiny_images) == plan


def test_a_layer_called_twice_has_the_sign_of_all_its_inputs(tiny_images):
    layer = nn.Conv2d(3, 3, 1)
    net = nn.Sequential(layer, nn.ReLU(), layer, nn.ReLU(), nn.Flatten(), nn.Linear(192, 2))
    plan = make_plan(net, W4A4, tiny_images)
    assert {name: p.act.signed for name, p in plan.layers.items()} == {"0": True, "5": False}


def test_a_layer_the_example_does_not_reach_gets_signed_codes(tiny_images):
    unused = LayerPlan("unused", "Linear", TensorSpec(signed=True), TensorSpec())
    decided = with_signs(Plan({"unused": unused}), Odd(), tiny_images)
    assert decided.layers["unused"].act.signed is True


def test_the_last_layers_output_is_quantized_on_demand(tiny_model, tiny_images):
    plan = make_plan(tiny_model, scheme(quantize_output=True), tiny_images)
    outputs = {name: p.output for name, p in plan.layers.items() if p.output is not None}
    assert list(outputs) == ["head"]
    assert (outputs["head"].bits, outputs["head"].signed) == (8, True)


class Odd(nn.Module):
    """Layers that have no twin, one that is never called, one that is called twice."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 3, 2)
        self.unused = nn.Linear(2, 2)
        self.twice = nn.Conv2d(3, 3, 1)
        self.last = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        return self.last(self.twice(self.twice(self.up(x)))).mean(dim=(2, 3))


def test_what_cannot_be_quantized_stays_float_and_is_listed(tiny_images):
    plan = make_plan(Odd(), scheme(first_last="same"), tiny_images)
    assert list(plan.layers) == ["twice", "last"]
    assert plan.left_float == (("up", "ConvTranspose2d"), ("unused", "Linear"))


def test_a_weight_that_is_computed_before_each_call_stays_float(tiny_model, tiny_images):
    """Rounding the layer's present weight would end its being computed."""
    tiny_model.depthwise = torch.nn.utils.parametrizations.spectral_norm(tiny_model.depthwise)
    with pytest.warns(FutureWarning):
        torch.nn.utils.weight_norm(tiny_model.grouped)
    plan = make_plan(tiny_model, W4A4, tiny_images)
    assert list(plan.layers) == ["stem", "head"]
    assert {name.split(".")[0] for name, _ in plan.left_float} == {"depthwise", "grouped"}
    quantize(tiny_model, plan)


def test_a_network_that_is_one_layer_is_refused_with_the_cure():
    with pytest.raises(ValueError, match=r"single layer: wrap it in torch\.nn\.Sequential"):
        make_plan(nn.Linear(4, 2), W4A4, torch.zeros(1, 4))


def test_a_network_with_nothing_to_quantize_is_refused(tiny_images):
    with pytest.raises(ValueError, match="runs no Conv1d, Conv2d or Linear"):
        make_plan(nn.Sequential(nn.Flatten(), nn.ReLU()), W4A4, tiny_images)


def test_a_plan_can_be_read_off_the_network(tiny_model, tiny_images):
    plan = make_plan(tiny_model, W4A4, tiny_images)
    assert plan_of(quantize(tiny_model, plan)) == plan


def test_order_is_that_of_calls_not_of_definition(tiny_images):
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Linear(4, 2), nn.Linear(192, 4)

        def forward(self, x):
            return self.last(self.first(torch.flatten(x, 1)))

    assert list(make_plan(Backwards(), W4A4, tiny_images).layers) == ["first", "last"]
