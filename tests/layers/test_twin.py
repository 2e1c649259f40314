"""Quantized twins: exact when off, and what they compute when on."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from qat.core.plan import LayerPlan
from qat.core.scheme import TensorSpec
from qat.layers.registry import twin_of
from qat.layers.twin import QuantTwin
from qat.layers.walk import quantizers
from tests.reference.affine import decode, encode

OFF = TensorSpec(bits=32)
W4 = TensorSpec(bits=4, signed=True)
A8 = TensorSpec(bits=8, signed=True)

LAYERS = [
    pytest.param(lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1), (2, 4, 9, 9), id="conv"),
    pytest.param(
        lambda: nn.Conv2d(4, 6, (1, 3), dilation=2, bias=False), (2, 4, 9, 9), id="dilated"
    ),
    pytest.param(lambda: nn.Conv2d(4, 8, 3, groups=2), (2, 4, 7, 7), id="grouped"),
    pytest.param(
        lambda: nn.Conv2d(4, 4, 3, groups=4, padding="same"), (2, 4, 7, 7), id="depthwise"
    ),
    pytest.param(
        lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), (2, 4, 7, 7), id="reflect"
    ),
    pytest.param(lambda: nn.Conv1d(4, 6, 5, padding=2), (2, 4, 11), id="conv1d"),
    pytest.param(
        lambda: nn.Conv1d(4, 4, 3, groups=4, padding=1, padding_mode="circular"),
        (2, 4, 11),
        id="depthwise1d",
    ),
    pytest.param(lambda: nn.Linear(4, 6), (3, 4), id="linear"),
    pytest.param(lambda: nn.Linear(4, 6, bias=False), (3, 5, 4), id="linear-tokens"),
]


def twin(layer, weight=W4, act=A8, output=None):
    plan = LayerPlan("it", type(layer).__name__, weight, act, output)
    return twin_of(layer).from_float(layer, plan)


def by_numpy(x, largest, qmax):
    """Rounded to a signed grid whose last code is ``largest``."""
    scale = np.float32(largest) / np.float32(qmax)
    return torch.from_numpy(decode(encode(x.numpy(), scale, 0, -qmax - 1, qmax), scale, 0))


def values(shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("make", "shape"), LAYERS)
class TestEveryTwin:
    def test_off_equals_the_float_layer_bias_included(self, make, shape):
        layer, x = make(), values(shape)
        for plan in ({}, {"weight": OFF, "act": OFF}):
            quantized = twin(layer, **plan)
            for _, _, quantizer in quantizers(nn.Sequential(quantized)):
                quantizer.set_phase("off")
            assert torch.equal(quantized(x), layer(x))

    def test_on_equals_the_float_layer_on_rounded_tensors(self, make, shape):
        """Weight and input rounded by numpy, then the float layer itself."""
        layer, x = make(), values(shape)
        quantized = twin(layer).eval()
        quantized.weight_quantizer.set_range(-0.7, 0.7)
        quantized.input_quantizer.set_range(-1.27, 1.27)
        rounded = copy.deepcopy(layer)
        rounded.weight.data = by_numpy(layer.weight.detach(), 0.7, qmax=7)
        assert torch.equal(quantized(x), rounded(by_numpy(x, 1.27, qmax=127)))

    def test_parameters_are_the_float_layers_own(self, make, shape):
        layer = make()
        quantized = twin(layer)
        assert quantized.weight is layer.weight
        assert quantized.bias is layer.bias

    @pytest.mark.parametrize("training", [True, False])
    def test_its_quantizers_are_in_the_layers_mode(self, make, shape, training):
        quantized = twin(make().train(training))
        assert {module.training for module in quantized.modules()} == {training}

    def test_back_to_float_is_where_it_came_from(self, make, shape):
        layer, x = make(), values(shape)
        back = twin(layer).to_float()
        assert type(back) is type(layer)
        assert torch.equal(back(x), layer(x))

    def test_trains_its_weight(self, make, shape):
        quantized = twin(make())
        quantized.weight_quantizer.set_range(-1.0, 1.0)
        quantized.input_quantizer.set_range(-3.0, 3.0)
        quantized(values(shape)).square().sum().backward()
        assert quantized.weight.grad.abs().sum() > 0


def test_an_output_quantizer_rounds_the_output():
    layer = nn.Linear(4, 6)
    quantized = twin(layer, weight=OFF, act=OFF, output=TensorSpec(bits=2, signed=True)).eval()
    quantized.output_quantizer.set_range(-1.0, 1.0)
    assert set(quantized(values((50, 4))).unique().tolist()) == {-2.0, -1.0, 0.0, 1.0}


def test_each_channel_and_group_has_a_scale():
    conv = nn.Conv2d(8, 6, 3)
    channel = twin(conv, weight=W4.but(granularity="channel"))
    assert channel.weight_quantizer.layout.shape == (6,)
    group = twin(conv, weight=W4.but(granularity="group", group_size=2))
    assert group.weight_quantizer.layout.shape == (6, 4)
    act = twin(conv, act=A8.but(granularity="channel"))
    assert act.input_quantizer.layout.shape == (8,)


def test_what_a_layer_cannot_have_is_refused_by_its_name():
    with pytest.raises(ValueError, match=r"layer 'it': group_size=3 does not divide the 8"):
        twin(nn.Conv2d(8, 6, 3), weight=W4.but(granularity="group", group_size=3))


def test_a_kind_of_layer_must_define_its_float_form():
    for method in (QuantTwin._empty_like, QuantTwin.to_float):
        with pytest.raises(NotImplementedError):
            method(nn.Linear(1, 1))


def with_norm():
    """A convolution that contains its batch norm, in placement ``integer``."""
    quantized = twin(nn.Conv2d(2, 3, 1), weight=OFF, act=OFF).eval()
    norm = nn.BatchNorm2d(3).eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    quantized.norm = norm
    return quantized, norm


def test_folding_for_good_leaves_the_function_and_no_norm():
    quantized, norm = with_norm()
    x = values((2, 2, 4, 4))
    expected = norm(nn.functional.conv2d(x, quantized.weight, quantized.bias))
    quantized.fold()
    assert quantized.norm is None
    torch.testing.assert_close(quantized.to_float()(x), expected)


def test_the_folded_norm_follows_the_layers_output_while_it_trains():
    """One step with momentum 1: the running mean is that of the batch, without the norm."""
    quantized, norm = with_norm()
    norm.momentum = 1.0
    x = values((2, 2, 4, 4))
    quantized(x)
    before = norm.running_mean.clone()
    assert not quantized.follows
    quantized.train()(x)
    y = nn.functional.conv2d(x, quantized.weight, quantized.bias)
    assert not torch.equal(norm.running_mean, before)
    torch.testing.assert_close(norm.running_mean, y.mean(dim=(0, 2, 3)).detach())
