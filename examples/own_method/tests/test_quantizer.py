"""The quantizer, against its formula computed by numpy."""

import numpy as np
import pytest
import torch
from own_method.quantizer import ShiftQuantizer

from qat import TensorSpec
from qat.extend import Layout


def calibrated(x, bits, signed=True):
    """A quantizer that has seen some values and now rounds."""
    quantizer = ShiftQuantizer(TensorSpec(bits=bits, signed=signed), Layout()).eval()
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    return quantizer


# The largest magnitude, and the power of two that is nearest to it on a logarithmic scale.
@pytest.mark.parametrize(
    ("largest", "shift"), [(1.0, 1), (1.4, 1), (1.5, 2), (0.7, 0.5), (0.75, 1), (6.0, 8)]
)
@pytest.mark.parametrize(("bits", "signed"), [(8, True), (4, True), (4, False), (2, True)])
def test_steps_are_those_of_the_paper(bits, signed, largest, shift):
    x = torch.linspace(-largest if signed else 0, largest, 101)
    scale = shift * 2.0 ** ((1 if signed else 0) - bits)
    quantizer = calibrated(x, bits, signed)
    assert float(quantizer.qparams().scale) == scale
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    expected = np.clip(np.round(x.numpy() / scale), low, high) * scale
    np.testing.assert_array_equal(quantizer(x).numpy(), expected.astype(np.float32))


def test_a_tensor_of_zeros_stays_zero():
    assert not calibrated(torch.zeros(8), 4)(torch.zeros(8)).any()


def test_a_value_inside_the_range_has_the_gradient_1():
    x = torch.tensor([0.3, -0.2], requires_grad=True)
    calibrated(torch.tensor([-1.0, 1.0]), 4)(x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_asymmetric_is_refused():
    with pytest.raises(ValueError, match="set symmetric=true"):
        ShiftQuantizer(TensorSpec(bits=8, symmetric=False), Layout())
