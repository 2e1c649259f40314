"""Batch norm folded into the layer before it, against torch's own."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.layers.norm import folded, scale_and_shift

LAYERS = [
    nn.Conv2d(3, 4, 3),
    nn.Conv2d(4, 4, 3, groups=4, bias=False),
    nn.Conv2d(3, 4, 3, dilation=2, bias=False),
    nn.Linear(6, 4),
    nn.Linear(6, 4, bias=False),
]


def a_norm(layer, affine=True):
    kind = nn.BatchNorm1d if isinstance(layer, nn.Linear) else nn.BatchNorm2d
    norm = kind(4, eps=0.01, affine=affine).eval()
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.1, 3)
    if affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return norm


def an_input(layer):
    return torch.randn(2, 6) if isinstance(layer, nn.Linear) else torch.randn(2, 4, 7, 7)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer_and_norm_in_one(layer, affine):
    norm, x = a_norm(layer, affine), an_input(layer)
    if isinstance(layer, nn.Conv2d):
        x = x[:, : layer.in_channels]
    expected = norm(layer(x))
    weight, bias = folded(layer.weight, layer.bias, norm)
    with torch.no_grad():
        both = type(layer)(*_arguments(layer))
        both.weight.copy_(weight)
        both.bias.copy_(bias)
    assert torch.allclose(both(x), expected, atol=1e-5)


def _arguments(layer):
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    sizes = layer.in_channels, layer.out_channels, layer.kernel_size
    return *sizes, layer.stride, layer.padding, layer.dilation, layer.groups


def test_by_hand():
    norm = nn.BatchNorm2d(1, eps=0).eval()
    norm.running_mean.fill_(3)
    norm.running_var.fill_(4)
    nn.init.constant_(norm.weight, 6)
    nn.init.constant_(norm.bias, 5)
    scale, shift = scale_and_shift(norm)
    assert (scale.item(), shift.item()) == (3, -4)  # (x - 3) / 2 * 6 + 5
    weight, bias = folded(torch.full((1, 1, 1, 1), 2.0), torch.tensor([1.0]), norm)
    assert (weight.item(), bias.item()) == (6, -1)


def test_gradients_reach_weight_and_norm():
    layer, norm = LAYERS[0], a_norm(LAYERS[0])
    weight, bias = folded(layer.weight, layer.bias, norm)
    (weight.sum() + bias.sum()).backward()
    factor = 1 / np.sqrt(norm.running_var.numpy() + 0.01)
    own = layer.weight.detach().sum((1, 2, 3)).numpy() + layer.bias.detach().numpy()
    by_hand = factor * (own - norm.running_mean.numpy())
    assert norm.weight.grad.numpy() == pytest.approx(by_hand, rel=1e-4)
    assert norm.bias.grad.tolist() == [1] * 4
    assert layer.weight.grad is not None
    layer.zero_grad()


def test_a_norm_without_statistics_cannot_be_folded():
    with pytest.raises(ValueError, match="without running statistics cannot be folded"):
        scale_and_shift(nn.BatchNorm2d(3, track_running_stats=False))
