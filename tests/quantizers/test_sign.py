"""Binary activations: forward, gradient and start by hand."""

import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.sign import SignQuantizer


def sign(layout=None, signed=True):
    spec = TensorSpec(bits=1, signed=signed, quantizer=Method("sign"))
    return SignQuantizer(spec, layout or Layout())


def test_forward_and_gradient_by_hand():
    quantizer = sign()
    quantizer.set_range(-0.5, 0.5)
    x = torch.tensor([0.3, -0.2, 0.0, 1.5, -1.0], requires_grad=True)
    y = quantizer(x)
    (y * torch.arange(1.0, 6.0)).sum().backward()
    assert y.tolist() == [0.5, -0.5, -0.5, 0.5, -0.5]
    assert x.grad.tolist() == [0.5, 1.0, 1.5, 0.0, 2.5]


def test_it_starts_at_the_mean_magnitude_of_all_calibration_values():
    quantizer = sign()
    quantizer.set_phase("observe")
    quantizer(torch.tensor([[1.0, -3.0]]))
    quantizer(torch.tensor([[2.0, 0.0]]))
    quantizer.set_phase("quantize")
    assert quantizer.scale.item() == 1.5


def test_each_channel_has_its_own_beta():
    quantizer = sign(Layout(axis=1, channels=2))
    quantizer.set_phase("observe")
    quantizer(torch.tensor([[1.0, -3.0], [2.0, 5.0]]))
    quantizer.set_phase("quantize")
    assert quantizer.scale.tolist() == [1.5, 4.0]


def test_after_a_relu_zero_differs_from_the_rest():
    quantizer = sign(signed=False)
    quantizer.set_range(0.0, 1.0)
    assert quantizer(torch.tensor([0.0, 0.2])).tolist() == [-1.0, 1.0]
    assert quantizer.encode(torch.tensor([0.0, 0.2])).tolist() == [0, 1]
