"""Weights that are rounded together."""

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.fused import fused
from qat.convert.fused_weights import RoundedWeights
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.plan import LayerPlan
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.layers.linear import QuantLinear
from qat.quantizers.declared import DECLARED

OFF = TensorSpec(bits=32)
OTHER_WEIGHTS = sorted(
    name
    for name, declared in DECLARED.items()
    if "weight" in declared.slots and name not in ("lqnets", "parq")
)
LSQ = Scheme(
    weight=TensorSpec(bits=3, granularity="channel", quantizer=Method("lsq")),
    act=TensorSpec(bits=4, quantizer=Method("lsq")),
)
X = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


class CallsTwice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.shared, self.last = (nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        y = self.shared(torch.relu(self.shared(torch.relu(self.first(x)))))
        return self.last(torch.relu(y))


def quantized(scheme=LSQ):
    torch.manual_seed(0)
    net = CallsTwice()
    qnet = quantize(net, make_plan(net, scheme, X))
    calibrate(qnet, [X])
    return qnet.train()


def test_a_layer_that_is_called_twice_rounds_its_weight_once(monkeypatch):
    qnet, calls = quantized(), []
    whole = fused(qnet)
    plain = type(qnet.shared.weight_quantizer).rounding
    monkeypatch.setattr(
        type(qnet.shared.weight_quantizer),
        "rounding",
        lambda self, x: calls.append(self) or plain(self, x),
    )
    whole(X)
    assert calls.count(qnet.shared.weight_quantizer) == 1


def test_results_are_those_of_single_calls():
    plain, own = quantized(), quantized()
    losses = [net(X).square().sum() for net in (plain, fused(own))]
    for loss in losses:
        loss.backward()
    assert torch.equal(*losses)
    for (name, expected), result in zip(plain.named_parameters(), own.parameters(), strict=True):
        tolerance = {"rtol": 1e-4, "atol": 1e-6} if "step" in name else {"rtol": 0, "atol": 0}
        torch.testing.assert_close(result.grad, expected.grad, **tolerance)


def test_weights_are_the_levels_of_the_layer():
    qnet = quantized()
    weights = RoundedWeights([qnet.first, qnet.last])()
    for layer, weight in zip((qnet.first, qnet.last), weights, strict=True):
        assert torch.equal(
            weight, layer.weight_quantizer.decode(layer.weight_quantizer.encode(layer.weight))
        )


def test_a_range_that_follows_each_call_is_followed_at_each_call():
    scheme = Scheme(TensorSpec(bits=4, observer=Method("ema")), LSQ.act)
    plain, own = quantized(scheme), quantized(scheme)
    for net in (plain, own):
        with torch.no_grad():
            net.shared.weight.mul_(2)
    plain(X), fused(own)(X)
    scales = [net.shared.weight_quantizer.scale for net in (plain, own)]
    assert torch.equal(*scales)


@pytest.mark.parametrize("name", ["lqnets", "parq"])
def test_levels_that_follow_each_call_follow_it_in_the_fused_network_too(name):
    """Two calls move a basis or a step twice, although the weight is the same."""
    scheme = Scheme(TensorSpec(bits=3, quantizer=Method(name)), LSQ.act)
    plain, own = quantized(scheme), quantized(scheme)
    for net in (plain, own):
        with torch.no_grad():
            net.shared.weight.mul_(1.5)
    outputs = plain(X), fused(own)(X)
    for (key, expected), (_, result) in zip(
        plain.state_dict().items(), own.state_dict().items(), strict=True
    ):
        assert torch.equal(result, expected), key
    assert torch.equal(*outputs)


@pytest.mark.parametrize("name", OTHER_WEIGHTS)
def test_other_weights_are_the_same_at_each_call(name):
    declared = DECLARED[name]
    spec = TensorSpec(
        bits=max(b for b in declared.bits if b <= 3),
        signed=True,
        granularity="channel",
        scale=declared.scales[0],
        quantizer=Method(name),
    )
    layer = QuantLinear.from_float(nn.Linear(4, 4), LayerPlan("it", "Linear", spec, OFF))
    layer.weight_quantizer.set_phase("observe")
    layer.weight_quantizer(layer.weight)
    layer.weight_quantizer.set_phase("quantize")
    with torch.no_grad():
        layer.train().weight.mul_(1.5)
    first, second = (layer.weight_quantizer(layer.weight) for _ in range(2))
    assert torch.equal(first, second)
