"""One module replaces another, under all its names."""

import pytest
import torch
from torch import nn

from qat.convert.modules import make_twin, replace_module
from qat.core.plan import LayerPlan
from qat.core.scheme import TensorSpec
from qat.layers.linear import QuantLinear


def plan(name):
    return LayerPlan(name, "Linear", TensorSpec(signed=True), TensorSpec(signed=True))


def test_a_module_is_replaced_in_every_place_and_nothing_else():
    shared, other = nn.Linear(2, 2), nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.Sequential(nn.ReLU(), shared), other)
    new = nn.Identity()
    replace_module(net, "1.1", new)
    assert net[0] is net[1][1] is new
    assert net[2] is other


def test_the_quantized_version_has_the_weights_of_the_float_layer():
    layer = nn.Linear(3, 2)
    twin = make_twin(layer, plan("fc"))
    assert type(twin) is QuantLinear
    assert torch.equal(twin.weight, layer.weight)
    assert torch.equal(twin.bias, layer.bias)


def test_a_layer_without_a_quantized_version_is_refused_by_name():
    with pytest.raises(ValueError, match=r"layer 'up' is a ConvTranspose2d.*remove it from plan"):
        make_twin(nn.ConvTranspose2d(3, 8, 3), plan("up"))
