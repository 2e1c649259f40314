"""Quantized layers, tensors and quantizers of a network, in order of definition."""

import pytest
from torch import nn

from qat.core.plan import LayerPlan, TensorPlan
from qat.core.scheme import TensorSpec
from qat.layers.registry import twin_of
from qat.layers.tensor import QuantTensor
from qat.layers.walk import placed_quantizers, quantizer_keys, quantizers, tensors, twins

OFF, A8 = TensorSpec(bits=32), TensorSpec(bits=8, signed=True)


def twin(layer, act=A8, output=None):
    return twin_of(layer).from_float(layer, LayerPlan("it", "Linear", A8, act, output))


@pytest.fixture
def net():
    """The first layer is used a second time; a tensor lies between layers; the last one rounds."""
    first, last = twin(nn.Linear(4, 4)), twin(nn.Linear(4, 2), act=OFF, output=A8)
    tensor = QuantTensor(TensorPlan("add", "add", A8))
    return nn.Sequential(first, nn.ReLU(), tensor, first, last)


def test_each_layer_and_tensor_comes_once(net):
    assert [(name, type(layer).__name__) for name, layer in twins(net)] == [
        ("0", "QuantLinear"),
        ("4", "QuantLinear"),
    ]
    assert [(path, tensor.plan.name) for path, tensor in tensors(net)] == [("2", "add")]


def test_what_is_off_has_no_quantizer(net):
    assert [(name, slot) for name, slot, _ in quantizers(net)] == [
        ("0", "weight"),
        ("0", "act"),
        ("4", "weight"),
        ("4", "output"),
        ("add", "tensor"),
    ]


def test_paths_lead_to_the_quantizers(net):
    for path, _, _, quantizer in placed_quantizers(net):
        assert net.get_submodule(path) is quantizer


def test_keys_divide_a_state_dict_into_quantizers_and_parameters(net):
    """The shared layer is in the state dict under both of its names."""
    own = {key for key in net.state_dict() if not key.startswith(quantizer_keys(net))}
    assert own == {f"{name}.{key}" for name in "034" for key in ("weight", "bias")}
