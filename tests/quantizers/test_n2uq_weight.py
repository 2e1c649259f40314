"""The weight part of N2UQ by hand: Liu et al. 2022, section 3.2.3."""

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


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_the_step_of_the_scaled_weight_is_that_of_the_papers_levels(bits):
    weight = torch.randn(4, 50, generator=torch.Generator().manual_seed(bits))
    scaled = 2 ** (bits - 1) / (2**bits - 1) / weight.abs().mean()  # w' / w
    step = calibrated(bits, weight).qparams().scale.item()
    assert step * scaled.item() == pytest.approx(2 / (2**bits - 1), rel=1e-5)


def test_channels_have_their_own_mean():
    weight = torch.tensor([[1.0, -3.0], [0.1, 0.3]])
    quantizer = calibrated(3, weight, Layout.of_weight("channel", (2, 2)))
    assert quantizer.qparams().scale.tolist() == pytest.approx([1.0, 0.1])


def test_the_step_follows_training_until_frozen():
    weight = torch.tensor([[1.0, -3.0]])
    quantizer = calibrated(2, weight).train()
    quantizer(2 * weight)
    assert quantizer.qparams().scale.item() == 4
    quantizer.frozen = True
    quantizer(weight)
    assert quantizer.qparams().scale.item() == 4


def test_normal_weights_occupy_the_levels_about_equally():
    weight = torch.randn(1, 20000, generator=torch.Generator().manual_seed(0))
    shares = calibrated(2, weight).encode(weight).flatten().add(2).bincount() / 20000
    entropy = -(shares * shares.log2()).sum().item()
    assert entropy > 1.9  # of 2 bits


def test_zeros_are_a_weight_too():
    assert calibrated(2, torch.zeros(1, 4))(torch.zeros(1, 4)).tolist() == [[0.0] * 4]
