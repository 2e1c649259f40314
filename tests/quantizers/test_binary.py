"""Binary weights: forward, gradient and codes by hand."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.binary import BinaryQuantizer


def binary(layout=None):
    spec = TensorSpec(bits=1, signed=True, quantizer=Method("binary"))
    return BinaryQuantizer(spec, layout or Layout())


def test_forward_and_gradient_by_hand():
    x = torch.tensor([[0.3, -0.5, 0.0, 2.0]], requires_grad=True)  # alpha = 2.8 / 4 = 0.7
    y = binary()(x)
    (y * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert torch.allclose(y, torch.tensor([[0.7, -0.7, -0.7, 0.7]]))
    # dC/dw = dC/dw' (1 / 4 + 0.7 if |w| <= 1)
    assert torch.allclose(x.grad, torch.tensor([[0.95, 1.9, 2.85, 1.0]]))


def test_each_channel_has_its_own_alpha_and_count():
    x = torch.tensor([[1.0, -3.0], [0.1, 0.3]], requires_grad=True)
    y = binary(Layout(axis=0, channels=2))(x)
    y.sum().backward()
    assert torch.allclose(y, torch.tensor([[2.0, -2.0], [0.2, 0.2]]))
    assert torch.allclose(x.grad, torch.tensor([[2.5, 0.5], [0.7, 0.7]]))


def test_codes_are_one_bit():
    quantizer = binary()
    quantizer.set_range(-0.5, 0.5)
    assert quantizer.code_range() == (1, 0)
    assert quantizer.encode(torch.tensor([-3.0, 0.0, 1e-30])).tolist() == [0, 0, 1]
    assert quantizer.codebook().values.tolist() == [[-0.5, 0.5]]


@pytest.mark.parametrize("method", ["minmax", "lsq", "ternary"])
def test_other_methods_have_no_bit(method):
    with pytest.raises(ValueError, match=r"2 to 16, .* got 1; 1 bit needs the quantizer binary"):
        TensorSpec(bits=1, quantizer=Method(method))
