"""Dampening against the equation, with a hand-made layer."""

import pytest
import torch
from torch import nn

from qat.convert.swap import quantize
from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import Method, TensorSpec
from qat.training.aids.dampening import Dampening


@pytest.fixture
def layer():
    """Step 1, codes -4..3; one weight inside a bin, one at a level, one beyond the grid."""
    net = nn.Sequential(nn.Linear(3, 1, bias=False))
    net[0].weight.data = torch.tensor([[0.3, 2.0, 5.0]])
    spec = TensorSpec(bits=3, signed=True, quantizer=Method("lsq"))
    plan = LayerPlan("0", "Linear", spec, TensorSpec(format="float"))
    qnet = quantize(net, Plan({"0": plan}, (), "academic"))
    qnet[0].weight_quantizer.set_qparams(torch.ones(1), torch.zeros(1))
    return qnet


def test_the_last_step_has_the_whole_term(layer):
    term = Dampening(0.1)(layer, step=9, steps=10)
    assert term.item() == pytest.approx(0.1 * (0.3**2 + 0.0 + 0.0))


def test_the_first_step_has_none(layer):
    assert Dampening(0.1)(layer, step=0, steps=10).item() == 0.0


def test_the_gradient_leads_to_the_level_and_not_beyond_the_grid(layer):
    Dampening(0.5)(layer, step=9, steps=10).backward()
    # d/dw of 0.5 (w_hat - w)^2 is -(w_hat - w); the clipped weight gets none.
    assert torch.allclose(layer[0].weight.grad, torch.tensor([[0.3, 0.0, 0.0]]))


def test_a_network_without_rounded_weights_has_none():
    assert float(Dampening(0.1)(nn.Linear(2, 2), step=1, steps=2)) == 0.0
