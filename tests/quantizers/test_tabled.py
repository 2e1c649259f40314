"""A fixed codebook as a quantizer."""

import pytest
import torch

from qat.core.codebook import Codebook
from qat.core.scheme import TensorSpec
from qat.quantizers.tabled import TabledQuantizer


@pytest.fixture
def quantizer():
    return TabledQuantizer(TensorSpec(bits=2, signed=True), Codebook(torch.tensor([[-1.0, 0, 4]])))


def test_values_become_levels_by_hand(quantizer):
    assert quantizer(torch.tensor([-9.0, -0.6, 1.9, 2.1])).tolist() == [-1, -1, 0, 4]


def test_the_gradient_is_passed_straight_through(quantizer):
    x = torch.tensor([-9.0, 0.3, 2.1], requires_grad=True)
    (quantizer(x) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0]


def test_off_and_observing_it_is_the_identity(quantizer):
    x = torch.tensor([0.3])
    for phase in ("off", "observe"):
        quantizer.set_phase(phase)
        assert torch.equal(quantizer(x), x)
    quantizer.set_phase("quantize")
    assert quantizer(x).tolist() == [0.0]


def test_it_survives_a_checkpoint(quantizer):
    other = TabledQuantizer(quantizer.spec, Codebook(torch.zeros(1, 3)))
    other.load_state_dict(quantizer.state_dict())
    assert torch.equal(other.codebook().values, quantizer.codebook().values)


def test_it_has_no_scale(quantizer):
    with pytest.raises(ValueError, match="no scale"):
        quantizer.qparams()
    with pytest.raises(ValueError, match="a codebook has no scale to set"):
        quantizer.set_qparams(torch.ones(1), torch.zeros(1))
