"""A tensor between layers."""

import torch

from qat.core.plan import TensorPlan
from qat.core.scheme import TensorSpec
from qat.layers.tensor import QuantTensor


def a_tensor(**spec):
    return QuantTensor(TensorPlan("add", "add", TensorSpec(**{"signed": True} | spec))).eval()


def test_it_rounds_to_its_codes():
    tensor = a_tensor(bits=4)
    tensor.quantizer.set_range(-7, 7)
    assert tensor(torch.tensor([0.4, 2.6, -3.5, 99])).tolist() == [0, 3, -4, 7]


def test_it_has_one_scale_whatever_is_asked():
    assert a_tensor(granularity="channel").quantizer.qparams().scale.shape == (1,)


def test_it_observes_and_passes_through_as_its_phase_says():
    tensor, x = a_tensor(bits=8), torch.tensor([-1.0, 12.7])
    tensor.quantizer.set_phase("observe")
    assert torch.equal(tensor(x), x)
    tensor.quantizer.set_phase("off")
    assert tensor(x) is x
    tensor.quantizer.set_phase("quantize")
    assert tensor.quantizer.qparams().scale.item() == torch.tensor(12.7).div(127).item()
