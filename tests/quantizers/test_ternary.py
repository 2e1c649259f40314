"""Ternary weights: forward, gradient and codes by hand."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.ternary import TernaryQuantizer


def ternary(layout=None):
    spec = TensorSpec(bits=2, signed=True, quantizer=Method("ternary"))
    return TernaryQuantizer(spec, layout or Layout())


def test_forward_and_gradient_by_hand():
    # mean|w| = 4.0 / 5 = 0.8, delta = 0.56, alpha = (0.6 + 1 + 1.8) / 3
    x = torch.tensor([[0.1, -0.5, 0.6, -1.0, 1.8]], requires_grad=True)
    quantizer = ternary()
    y = quantizer(x)
    (y * torch.arange(1.0, 6.0)).sum().backward()
    alpha = 3.4 / 3
    assert torch.allclose(y, torch.tensor([[0.0, 0.0, alpha, -alpha, alpha]]))
    assert torch.equal(x.grad, torch.arange(1.0, 6.0)[None])
    assert quantizer.threshold.item() == pytest.approx(0.56)


def test_the_threshold_is_not_half_of_alpha():
    x = torch.tensor([[0.45, 1.0, 0.35]])  # delta = 0.42, alpha = 0.725, half of it 0.3625
    quantizer = ternary().eval()
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    assert quantizer.encode(x).tolist() == [[2, 2, 1]]
    assert quantizer.encode(torch.tensor([[0.4, -0.43]])).tolist() == [[1, 0]]
    assert quantizer.code_range() == (2, 0)
    assert torch.equal(quantizer.decode(quantizer.encode(x)), quantizer(x))


def test_each_group_has_its_own_levels():
    layout = Layout.of_weight("group", (1, 4), 2)
    y = ternary(layout)(torch.tensor([[1.0, 0.1, -4.0, -2.0]]))
    assert torch.allclose(y, torch.tensor([[1.0, 0.0, -4.0, 0.0]]))
