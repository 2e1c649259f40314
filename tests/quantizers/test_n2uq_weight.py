"""The weight part of N2UQ by hand: Liu et al. 2022, section 3.2.3."""

import numpy as np
import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.n2uq_weight import N2UQWeightQuantizer


def quantizer_of(bits, layout=None):
    return N2UQWeightQuantizer(TensorSpec(bits=bits, signed=True), layout or Layout())


def calibrated(bits, weight, layout=None):
    quantizer = quantizer_of(bits, layout)
    quantizer.set_phase("observe")
    quantizer(weight)
    quantizer.set_phase("quantize")
    return quantizer


def papers_levels(bits, weight):
    """Quantized weights of one slice as the paper's section 3.2.3 has them, in numpy's float64."""
    w = weight.double().numpy()
    scale = 2 ** (bits - 1) / (2**bits - 1) / np.abs(w).mean()
    codes = np.rint((np.clip(w * scale, -1, 1) + 1) / 2 * (2**bits - 1))
    return (2 * codes / (2**bits - 1) - 1) / scale


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_values_are_those_of_the_paper(bits):
    weight = torch.randn(4, 50, generator=torch.Generator().manual_seed(bits))
    assert calibrated(bits, weight)(weight).numpy() == pytest.approx(
        papers_levels(bits, weight), rel=1e-5
    )


def test_by_hand():
    weight = torch.tensor([[1.0, -3.0, 0.1, -0.9]])  # mean 1.25: step 1.25, outermost 1.875
    assert calibrated(2, weight)(weight).tolist() == [[0.625, -1.875, 0.625, -0.625]]


def test_the_gradient_is_one_inside_the_outermost_levels():
    weight = torch.tensor([[1.0, -3.0, 0.1, -0.9]], requires_grad=True)
    calibrated(2, weight.detach())(weight).sum().backward()
    assert weight.grad.tolist() == [[1.0, 0.0, 1.0, 1.0]]


def test_channels_have_their_own_mean():
    weight = torch.tensor([[1.0, -3.0], [0.1, 0.3]])
    quantizer = calibrated(3, weight, Layout.of_weight("channel", (2, 2)))
    assert quantizer.outer.flatten().tolist() == pytest.approx([2 * 7 / 4, 0.2 * 7 / 4])


def test_the_levels_follow_training_until_frozen():
    weight = torch.tensor([[1.0, -3.0]])
    quantizer = calibrated(2, weight).train()
    quantizer(2 * weight)
    assert quantizer.outer.item() == 6
    quantizer.frozen = True
    quantizer(weight)
    assert quantizer.outer.item() == 6


def test_normal_weights_occupy_the_levels_about_equally():
    weight = torch.randn(1, 20000, generator=torch.Generator().manual_seed(0))
    shares = calibrated(2, weight).encode(weight).flatten().bincount() / 20000
    entropy = -(shares * shares.log2()).sum().item()
    assert entropy > 1.97  # of 2 bits


def test_a_weight_of_zeros_is_finite():
    assert calibrated(2, torch.zeros(1, 4))(torch.zeros(1, 4)).isfinite().all()
