"""Quantized convolutions, against sums by scipy and by hand."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d
from torch import nn

from qat.core.plan import LayerPlan
from qat.core.scheme import TensorSpec
from qat.layers.conv import QuantConv1d, QuantConv2d

W4, A8, OFF = TensorSpec(bits=4, signed=True), TensorSpec(signed=True), TensorSpec(bits=32)


def twin(layer, kind, weight=W4, act=A8):
    return kind.from_float(layer, LayerPlan("it", type(layer).__name__, weight, act)).eval()


def test_a_convolution_of_rounded_values_by_scipy():
    """Steps of 1, so that rounded weights and inputs are whole numbers."""
    quantized = twin(nn.Conv2d(2, 3, 3), QuantConv2d)
    quantized.weight.data = torch.randn(3, 2, 3, 3) * 3
    quantized.weight_quantizer.set_range(-7, 7)
    quantized.input_quantizer.set_range(-127, 127)
    x = torch.randn(1, 2, 6, 6) * 20
    weight, image = (np.rint(t.detach().double().numpy()) for t in (quantized.weight, x[0]))
    weight = weight.clip(-8, 7)
    for channel, plane in enumerate(quantized(x)[0].detach().numpy()):
        sums = sum(correlate2d(image[i], weight[channel, i], mode="valid") for i in range(2))
        np.testing.assert_allclose(plane, sums + quantized.bias[channel].item(), rtol=1e-5)


def test_a_depthwise_convolution_of_one_dimension_by_hand():
    layer = nn.Conv1d(2, 2, 2, groups=2, bias=False)
    layer.weight.data = torch.tensor([[[1.2, -2.6]], [[0.4, 3.0]]])
    quantized = twin(layer, QuantConv1d, act=OFF)
    quantized.weight_quantizer.set_range(-7, 7)
    x = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])
    # rounded to (1, -3) and (0, 3): 1 - 6, 2 - 9; 15, 18
    assert quantized(x).tolist() == [[[-5, -7], [15, 18]]]


@pytest.mark.parametrize(
    "settings",
    [
        {"stride": 2, "padding": 1},
        {"dilation": (1, 2), "padding": "same"},
        {"groups": 2, "padding": 2, "padding_mode": "circular"},
    ],
)
def test_all_settings_of_the_layer_survive(settings):
    layer = nn.Conv2d(4, 6, 3, bias=False, **settings)
    back = twin(layer, QuantConv2d).to_float()
    assert repr(back) == repr(layer)
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(back(x), layer(x))
