"""Ranges that are held: set, kept in training, refused where they do not belong."""

import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.convert.calibrate import calibrate
from qat.convert.held import check_places, hold_ranges, with_methods
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.held_plan import HeldPlan, HeldRange
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Method, Scheme, TensorSpec

SPEC = TensorSpec(bits=4, signed=True)
FREE = TensorSpec(bits=4, signed=False, symmetric=False)


def planned(weight=SPEC, act=FREE):
    return Plan({"0": LayerPlan("0", "Linear", weight, act)})


def network():
    return nn.Sequential(nn.Linear(3, 2))


def test_values_are_those_of_the_range_by_hand():
    plan = planned()
    qnet = quantize(network(), plan).eval()
    ranges = {"0.weight": HeldRange((0.5,), (0,)), "0.act": HeldRange((0.25,), (3,))}
    assert hold_ranges(qnet, HeldPlan(plan, ranges)) == []
    x = torch.tensor([-9.0, -0.3, 0.6, 9.0])
    assert qnet[0].input_quantizer(x).tolist() == [-0.75, -0.25, 0.5, 3.0]
    assert qnet[0].weight_quantizer(torch.full((2, 3), 9.0)).unique().tolist() == [3.5]


def test_ranges_replace_those_of_calibration_and_stay_in_training():
    plan = planned()
    qnet = quantize(network(), plan)
    calibrate(qnet, [torch.rand(8, 3) * 100])
    hold_ranges(qnet, HeldPlan(plan, {"0.act": HeldRange((0.25,), (3,))}))
    weight_before = qnet[0].weight_quantizer.qparams().scale.clone()
    with torch.no_grad():
        qnet[0].weight.mul_(5)
    qnet.train()(torch.rand(8, 3) * 50)
    assert qnet[0].input_quantizer.qparams().scale.item() == 0.25
    assert qnet[0].weight_quantizer.qparams().scale.item() > weight_before.item()  # not held


def test_one_scale_for_each_channel_or_group():
    for granularity, size, count in (("channel", None, 2), ("group", 1, 6)):
        plan = planned(SPEC.but(granularity=granularity, group_size=size))
        qnet = quantize(network(), plan)
        scales = tuple(0.5 + i for i in range(count))
        hold_ranges(qnet, HeldPlan(plan, {"0.weight": HeldRange(scales, (0,) * count)}))
        assert tuple(qnet[0].weight_quantizer.qparams().scale.reshape(-1).tolist()) == scales


@pytest.mark.parametrize(
    ("place", "values", "reason"),
    [
        ("0.weight", HeldRange((0.5, 0.5), (0, 0)), "0.weight: the plan has 2 scales .* needs 1"),
        ("0.act", HeldRange((0.5,), (16,)), "0.act: a zero point must be 0 to 15, got 16"),
        ("1.weight", HeldRange((0.5,), (0,)), "no quantizer is at 1.weight; .* 0.weight, 0.act"),
    ],
)
def test_a_range_of_another_network_is_refused(place, values, reason):
    plan = planned()
    with pytest.raises(InputError, match=reason):
        hold_ranges(quantize(network(), plan), HeldPlan(plan, {place: values}))


@pytest.mark.parametrize("name", ["dorefa", "apot", "lqnets", "sawb"])
def test_a_method_with_levels_of_its_own_is_refused(name):
    plan = planned(SPEC.but(quantizer=Method(name)))
    qnet = quantize(network(), plan)
    with pytest.raises(
        InputError, match=rf"{name} cannot have the scales .*quantizer@scheme.weight"
    ):
        hold_ranges(qnet, HeldPlan(plan, {"0.weight": HeldRange((0.5,), (0,))}))


@pytest.mark.parametrize("name", ["lsq", "ewgs", "dsq", "parq", "minmax"])
def test_a_learned_step_starts_at_the_scale(name):
    plan = planned(SPEC.but(quantizer=Method(name)))
    qnet = quantize(network(), plan)
    calibrate(qnet, [torch.rand(4, 3)])
    hold_ranges(qnet, HeldPlan(plan, {"0.weight": HeldRange((0.3,), (0,))}))
    assert qnet[0].weight_quantizer.qparams().scale.item() == pytest.approx(0.3)


def test_a_scale_that_is_too_small_for_the_bias_is_raised_and_named():
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Flatten(), nn.Linear(4, 2)).eval()
    with torch.no_grad():
        net[0].bias.fill_(1000.0)
    x = torch.rand(2, 1, 2, 2)
    plan = make_plan(net, Scheme(placement="integer"), x)
    qnet = quantize(net, plan)
    calibrate(qnet, [x])
    tiny = HeldPlan(plan, {"0.weight": HeldRange((1e-8,), (0,))})
    assert hold_ranges(qnet, tiny) == ["0"]
    assert qnet.get_submodule("0").saturated_biases() == 0


def test_methods_are_those_of_the_scheme():
    lsq, plus = Method("lsq"), Method("lsq_plus")
    scheme = Scheme(TensorSpec(quantizer=lsq), TensorSpec(quantizer=plus, symmetric=False))
    layer = with_methods(planned(), scheme).layers["0"]
    assert (layer.weight.quantizer, layer.act.quantizer) == (lsq, plus)
    assert (layer.weight.bits, layer.act.symmetric) == (4, False)
    # A method without codes of the width gives way.
    dorefa = Scheme(TensorSpec(bits=4, quantizer=Method("dorefa")))
    wide = with_methods(planned(SPEC.but(bits=16)), dorefa).layers["0"]
    assert wide.weight.quantizer.name == "minmax"
    half = with_methods(planned(TensorSpec(format="fp16", bits=16)), scheme).layers["0"]
    assert half.weight.quantizer.name == "minmax"


def test_places_are_checked_without_a_network():
    check_places({}, {})
    with pytest.raises(InputError, match=r"no quantizer is at a.act; this network has b.act"):
        check_places({"a.act": HeldRange((1.0,), (0,))}, {"b.act": None})
