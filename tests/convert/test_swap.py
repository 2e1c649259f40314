"""Module swap: exact when off, the float network untouched, states that load."""

import copy

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate, set_phase
from qat.convert.rules import make_plan
from qat.convert.swap import quantize, to_float
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.layers.conv import QuantConv2d
from qat.layers.walk import quantizer_keys, quantizers

SCHEMES = [
    pytest.param(Scheme(), id="w8a8"),
    pytest.param(
        Scheme(
            weight=TensorSpec(bits=3, granularity="channel", quantizer=Method("lsq")),
            act=TensorSpec(bits=4, quantizer=Method("lsq")),
            quantize_output=True,
        ),
        id="lsq",
    ),
    pytest.param(
        Scheme(act=TensorSpec(symmetric=False, observer=Method("percentile"))), id="asymmetric"
    ),
    pytest.param(Scheme(first_last="fp16"), id="fp16 ends"),
    pytest.param(
        Scheme(act=TensorSpec(signed=False, symmetric=False, quantizer=Method("dynamic"))),
        id="dynamic",
    ),
]


@pytest.fixture
def converted(request, tiny_model, tiny_images):
    plan = make_plan(tiny_model, request.param, tiny_images)
    return quantize(tiny_model, plan)


@pytest.mark.parametrize("converted", SCHEMES, indirect=True)
class TestEveryScheme:
    def test_off_equals_the_float_network_exactly(self, converted, tiny_model, tiny_images):
        for train in (False, True):
            set_phase(converted, "off")
            outputs = []
            for net in (copy.deepcopy(tiny_model), copy.deepcopy(converted)):
                torch.manual_seed(3)  # of dropout
                outputs.append(net.train(train)(tiny_images))
            assert torch.equal(*outputs)

    def test_the_float_network_is_left_as_it_is(self, converted, tiny_model, tiny_images):
        before = copy.deepcopy(tiny_model.state_dict())
        calibrate(converted, [tiny_images])
        for parameter in converted.parameters():
            parameter.data.add_(1.0)
        assert all(torch.equal(before[k], v) for k, v in tiny_model.state_dict().items())

    def test_a_float_state_loads(self, converted, tiny_model, tiny_images):
        other = copy.deepcopy(tiny_model)
        for parameter in other.parameters():
            parameter.data.mul_(0.5)
        loaded = converted.load_state_dict(other.state_dict(), strict=False)
        assert not loaded.unexpected_keys
        assert all(key.startswith(quantizer_keys(converted)) for key in loaded.missing_keys)
        set_phase(converted, "off")
        assert torch.equal(converted(tiny_images), other(tiny_images))

    def test_its_own_state_reloads_strictly_before_and_after_calibration(
        self, converted, tiny_model, tiny_images
    ):
        fresh = copy.deepcopy(converted)
        fresh.load_state_dict(converted.state_dict(), strict=True)
        calibrate(converted, [tiny_images])
        fresh.load_state_dict(converted.state_dict(), strict=True)
        assert torch.equal(fresh(tiny_images), converted(tiny_images))

    def test_quantizing_changes_the_outputs(self, converted, tiny_model, tiny_images):
        calibrate(converted, [tiny_images])
        assert not torch.equal(converted(tiny_images), tiny_model(tiny_images))

    def test_back_to_float(self, converted, tiny_model, tiny_images):
        back = to_float(converted)
        assert not list(quantizers(back))
        assert torch.equal(back(tiny_images), tiny_model(tiny_images))


def test_a_plan_of_another_network_is_refused_with_the_names(tiny_model, tiny_images):
    plan = make_plan(tiny_model, Scheme(), tiny_images)
    other = nn.Sequential(nn.Conv2d(3, 3, 1))
    with pytest.raises(KeyError, match=r"has no stem, depthwise, grouped, head; it has 0"):
        quantize(other, plan)


def test_a_layer_used_twice_is_one_layer(tiny_images):
    shared = nn.Conv2d(3, 3, 1)
    net = nn.Sequential(shared, nn.ReLU(), shared, nn.Flatten(), nn.Linear(192, 2)).eval()
    qnet = quantize(net, make_plan(net, Scheme(), tiny_images))
    assert qnet[0] is qnet[2]
    assert isinstance(qnet[2], QuantConv2d)
    qnet.load_state_dict(net.state_dict(), strict=False)
    calibrate(qnet, [tiny_images])
    set_phase(qnet, "off")
    assert torch.equal(qnet(tiny_images), net(tiny_images))
    back = to_float(qnet)
    assert back[0] is back[2]
    assert type(back[2]) is nn.Conv2d
