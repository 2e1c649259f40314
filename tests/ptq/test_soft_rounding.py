"""The equations of AdaRound, against sums by hand, numpy and automatic differentiation."""

import math

import numpy as np
import pytest
import torch

from qat.base.errors import InputError
from qat.core.affine import encode
from qat.core.grid import IntGrid
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.ptq.soft_rounding import (
    SoftRounding,
    annealed,
    logits_of,
    penalty_slope,
    rectified_sigmoid,
)


def qparams(scale=(0.5,), zero_point=(0.0,), bits=3, signed=True, layout=None):
    grid = IntGrid(bits, signed=signed)
    return QParams(torch.tensor(scale), torch.tensor(zero_point), grid, layout or Layout())


@pytest.mark.parametrize(
    ("logit", "by_hand"),
    [
        pytest.param(0.0, 0.5, id="middle"),
        pytest.param(math.log(3), 0.75 * 1.2 - 0.1, id="sigmoid-0.75"),
        pytest.param(5.0, 1.0, id="rectified-above"),
        pytest.param(-5.0, 0.0, id="rectified-below"),
    ],
)
def test_eq_23(logit, by_hand):
    assert rectified_sigmoid(torch.tensor(logit)).item() == pytest.approx(by_hand)


def test_v_starts_where_h_is_the_fraction():
    fractions = torch.linspace(0, 0.999, 50)
    assert torch.allclose(rectified_sigmoid(logits_of(fractions)), fractions, atol=1e-6)


@pytest.mark.parametrize("beta", [2.0, 3.5, 20.0])
def test_the_slope_is_the_derivative_of_eq_24(beta):
    rounding = torch.tensor([0.02, 0.3, 0.5, 0.9, 1.0], requires_grad=True)
    (1 - (2 * rounding - 1).abs().pow(beta)).sum().backward()
    assert torch.allclose(penalty_slope(rounding.detach(), beta), rounding.grad, atol=1e-5)


def test_beta_falls_from_20_to_2_after_the_warm_up():
    betas = [annealed(i, 1000) for i in range(1000)]
    assert betas[:200] == [None] * 200
    assert betas[200] == 20
    assert betas[600] == pytest.approx(11)  # half of the cosine
    assert 2 < betas[-1] < 2.001
    assert all(np.diff(betas[200:]) < 0)


class TestSoftRounding:
    """Scale 0.5, codes -4..3."""

    weight = torch.tensor([0.6, -0.6, 1.9, -9.0])  # 1.2, -1.2, 3.8 and -18 steps

    def test_starts_as_the_float_weight_inside_the_grid(self):
        soft = SoftRounding(self.weight, qparams())
        assert soft(self.weight).tolist() == pytest.approx([0.6, -0.6, 1.5, -2.0])

    def test_eq_22_for_any_v(self):
        soft = SoftRounding(self.weight, qparams())
        soft.logits.data = torch.tensor([0.4, -9.0, 9.0, 9.0])
        h = np.clip(1.2 / (1 + np.exp(-soft.logits.detach().numpy())) - 0.1, 0, 1)
        expected = 0.5 * np.clip(np.floor(self.weight.numpy() / 0.5) + h, -4, 3)
        assert soft(self.weight).detach().numpy() == pytest.approx(expected)

    def test_gradient_is_that_of_the_equations(self):
        soft = SoftRounding(self.weight, qparams())
        soft.logits.data = torch.tensor([0.4, -1.0, 0.2, 0.3])
        soft(self.weight).backward(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        s = torch.sigmoid(soft.logits.detach())
        slope = 0.5 * 1.2 * s * (1 - s)
        assert torch.allclose(soft.logits.grad, slope * torch.tensor([1.0, 2.0, 0.0, 0.0]))

    def test_no_gradient_where_h_is_0_or_1(self):
        soft = SoftRounding(self.weight[:2], qparams())
        soft.logits.data = torch.tensor([7.0, -7.0])
        soft(self.weight).sum().backward()
        soft.add_penalty_gradient(1.0, beta=2)
        assert soft.logits.grad.tolist() == [0, 0]
        assert soft.undecided() == 0

    def test_the_penalty_is_added_to_the_gradient(self):
        soft = SoftRounding(torch.tensor([0.6]), qparams())  # h = 0.2
        soft.logits.grad = torch.tensor([1.0])
        soft.add_penalty_gradient(0.01, beta=2)
        s = torch.sigmoid(soft.logits.detach())
        by_hand = 1 + 0.01 * (-4 * (2 * 0.2 - 1)) * 1.2 * s * (1 - s)
        assert soft.logits.grad.item() == pytest.approx(by_hand.item())

    def test_codes_round_up_from_a_half(self):
        soft = SoftRounding(self.weight, qparams())
        soft.logits.data = torch.tensor([0.0, -0.1, 9.0, 9.0])
        assert soft.codes().tolist() == [2, -2, 3, -4]

    def test_codes_at_the_start_are_the_nearest(self):
        weight = torch.randn(8, 5, generator=torch.Generator().manual_seed(3))
        scale = tuple(torch.linspace(0.1, 0.4, 8).tolist())
        own = qparams(scale, (0.0,) * 8, bits=4, layout=Layout(axis=0, channels=8))
        assert torch.equal(SoftRounding(weight, own).codes(), encode(weight, own))

    def test_a_zero_point_shifts_the_codes(self):
        own = qparams((0.5,), (5.0,), signed=False)  # codes 0..7 are -2.5..1.0
        soft = SoftRounding(torch.tensor([-0.6, 3.0, -9.0]), own)
        assert soft(self.weight).tolist() == pytest.approx([-0.6, 1.0, -2.5])
        assert soft.codes().tolist() == [4, 7, 0]

    def test_nan_is_refused(self):
        with pytest.raises(InputError, match="NaN"):
            SoftRounding(torch.tensor([float("nan")]), qparams())
