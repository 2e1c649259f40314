"""A quantized linear layer by hand."""

import torch
from torch import nn

from qat.core.plan import LayerPlan
from qat.core.scheme import TensorSpec
from qat.layers.linear import QuantLinear


def a_twin(bias=True):
    """Weights round to steps of 1, inputs to steps of 0.5, outputs to steps of 2."""
    layer = nn.Linear(2, 2, bias=bias)
    layer.weight.data = torch.tensor([[1.4, -2.6], [0.2, 99.0]])
    if bias:
        layer.bias.data = torch.tensor([0.25, -0.5])
    spec = TensorSpec(bits=4, signed=True)
    twin = QuantLinear.from_float(layer, LayerPlan("fc", "Linear", spec, spec, spec)).eval()
    twin.weight_quantizer.set_range(-7, 7)
    twin.input_quantizer.set_range(-3.5, 3.5)
    twin.output_quantizer.set_range(-14, 14)
    return twin


def test_weight_input_and_output_are_rounded_and_the_bias_is_not():
    twin = a_twin()
    x = torch.tensor([[0.6, 1.2]])
    # weights (1, -3), (0, 7); inputs (0.5, 1): 0.5 - 3 + 0.25 = -2.25, 7 - 0.5 = 6.5
    assert twin.product(nn.functional.linear, torch.tensor([[0.5, 1.0]])).tolist() == [[-2.25, 6.5]]
    assert twin(x).tolist() == [[-2, 6]]


def test_the_float_form_has_the_sizes_and_the_very_parameters():
    for bias in (True, False):
        twin = a_twin(bias)
        back = twin.to_float()
        assert type(back) is nn.Linear
        assert (back.in_features, back.out_features) == (2, 2)
        assert back.weight is twin.weight
        assert back.bias is twin.bias
