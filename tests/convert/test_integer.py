"""Placement integer: every stored tensor has codes, batch norm is part of its layer."""

import copy

import pytest
import torch
from torch import nn

from qat.convert.calibrate import set_phase
from qat.convert.integer import fold_norms
from qat.convert.rules import make_plan, plan_of
from qat.convert.swap import quantize, to_float
from qat.core.scheme import TensorSpec
from qat.layers.bias import bias_values
from qat.layers.tensor import QuantTensor
from qat.layers.walk import quantizers, tensors, twins
from tests.convert.integer_networks import Net, integer, quantized


def test_the_plan_of_another_network_is_refused(net, images):
    plan = make_plan(net, integer(), images)
    other = Net()
    other.act = nn.ReLU()
    with pytest.raises(
        KeyError, match=r"plan belongs to another network: tensors differ, such as act"
    ):
        quantize(other, plan)


def test_quantizers_stand_behind_every_stored_tensor(net, images):
    qnet = quantized(net, images)
    plan = plan_of(qnet)
    assert plan.tensors == make_plan(net, integer(), images).tensors
    own = {tensor.plan.name for _, tensor in tensors(qnet)}
    assert own == {name for name, tensor in plan.tensors.items() if tensor.shares is None}
    calls = [n for n in qnet.graph.nodes if n.op == "call_module"]
    stored = [n for n in calls if isinstance(qnet.get_submodule(n.target), QuantTensor)]
    assert len(stored) == len(plan.tensors)
    shared = [n.args[0].name for n in stored if n.target == "tensors.mul"]
    assert shared == ["mul", "relu_1"]


def test_it_computes_with_codes_alone(net, images):
    """Every tensor behind a quantizer is a multiple of its step."""
    qnet = quantized(net, images, integer(act=TensorSpec(bits=3)))
    seen = []
    for _, tensor in tensors(qnet):
        tensor.register_forward_hook(lambda module, _, out: seen.append((module, out)))
    qnet(images)
    assert len(seen) == 12
    for tensor, values in seen:
        codes = values / tensor.quantizer.qparams().scale
        assert (codes - codes.round()).abs().max() < 1e-4
        assert len(codes.round().unique()) <= 2**tensor.plan.spec.bits


@pytest.mark.parametrize("keep_norms", [True, False])
def test_with_quantizers_off_it_is_the_float_network(net, images, keep_norms):
    qnet = quantized(net, images, keep_norms=keep_norms)
    set_phase(qnet, "off")
    assert torch.allclose(qnet(images), net(images), atol=1e-5)
    assert torch.allclose(to_float(qnet)(images), net(images), atol=1e-5)


@pytest.mark.parametrize("keep_norms", [True, False])
def test_no_batch_norm_is_left(net, images, keep_norms):
    qnet = quantized(net, images, keep_norms=keep_norms)
    called = [type(qnet.get_submodule(n.target)) for n in qnet.graph.nodes if n.op == "call_module"]
    assert nn.BatchNorm2d not in called
    fold_norms(qnet)
    for each in (qnet, to_float(qnet)):
        assert not any(isinstance(module, nn.BatchNorm2d) for module in each.modules())
    assert not any("norm" in key for key in qnet.state_dict())


def test_a_norm_that_trains_on_has_one_name(net, images):
    qnet = quantized(net, images, keep_norms=True)
    keys = [key for key in qnet.state_dict() if key.endswith("running_mean")]
    assert keys == ["stem.norm.running_mean", "left.norm.running_mean"]


def test_the_float_network_is_left_as_it_is(net, images):
    before = copy.deepcopy(net.state_dict())
    qnet = quantized(net, images, keep_norms=True).train()
    qnet(images)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(module.training for module in net.modules())


def test_biases_have_integer_codes(net, images):
    qnet = quantized(net, images)
    for name, twin in twins(qnet):
        _, bias = twin.quantized()
        codes = bias.double() / twin.bias_step().double()
        # The value is a single float, of 24 bits.
        assert ((codes - codes.round()).abs() <= 2.0**-23 * codes.abs()).all(), name
        assert torch.allclose(bias, bias_values(codes.round(), twin.bias_step()).float())


def test_a_norm_that_stands_alone_is_a_convolution_of_one_pixel(images):
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)).eval()
    net[2].running_mean.normal_()
    qnet = quantized(net, images, integer(TensorSpec(bits=2)))
    assert [twin.plan.kind for _, twin in twins(qnet)] == ["Conv2d", "BatchNorm2d"]
    assert plan_of(qnet).layers["2"].weight.bits == 8  # one weight a channel: nothing is lost
    set_phase(qnet, "off")
    assert torch.allclose(qnet(images), net(images), atol=1e-6)


def test_a_layer_that_is_called_twice_keeps_what_follows_each_time(images):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)
            self.first, self.second = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

        def forward(self, x):
            return self.second(self.conv(self.first(self.conv(x)).relu()))

    net = Twice().eval()
    net.first.running_mean.fill_(1)
    net.second.running_var.fill_(9)
    qnet = quantized(net, images)
    set_phase(qnet, "off")
    assert torch.allclose(qnet(images), net(images), atol=1e-5)


def test_names_that_would_meet_have_quantizers_of_their_own(images):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.a_b = nn.Conv2d(3, 3, 1)
            self.a = nn.ModuleDict({"b": nn.Conv2d(3, 3, 1)})
            self.tensors = nn.Sequential(nn.Conv2d(3, 3, 1))

        def forward(self, x):
            return self.tensors(self.a["b"](self.a_b(x) * x).relu())

    net = Named().eval()
    qnet = quantized(net, images)
    assert sorted(t.plan.name for _, t in tensors(qnet)) == [
        *("a.b", "a_b", "input", "mul", "tensors.0"),
    ]
    set_phase(qnet, "off")
    assert torch.allclose(qnet(images), net(images), atol=1e-6)


def test_it_survives_a_checkpoint(net, images):
    qnet = quantized(net, images)
    other = quantize(net, plan_of(qnet))
    other.load_state_dict(qnet.state_dict())
    assert torch.equal(other.eval()(images), qnet(images))


def test_labels_name_what_is_quantized(net, images):
    labels = {quantizer.label for _, _, quantizer in quantizers(quantized(net, images))}
    assert {"add (tensor)", "left (weight)"} <= labels
