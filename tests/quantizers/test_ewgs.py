"""EWGS by hand: Lee et al. 2021, section 3."""

import math

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.ewgs import EWGSQuantizer
from qat.quantizers.lsq import LSQQuantizer


def ewgs(bits=2, signed=False, delta=0.3, **options):
    quantizer = EWGSQuantizer(
        TensorSpec(bits=bits, signed=signed), Layout(), delta=delta, **options
    )
    quantizer.set_qparams(torch.ones(1), torch.zeros(1))
    return quantizer


def gradients(quantizer, value, g):
    x = torch.tensor([value], requires_grad=True)
    (quantizer(x) * g).sum().backward()
    return x.grad.item(), quantizer.step.grad.item()


@pytest.mark.parametrize(
    ("value", "g", "factor"),
    [
        (1.4, 2.0, 1 + 0.3 * 0.4 / 3),
        (1.4, -2.0, 1 - 0.3 * 0.4 / 3),
        (1.6, 2.0, 1 - 0.3 * 0.4 / 3),
        (2.0, 2.0, 1.0),
    ],
)
def test_gradients_are_scaled_by_the_distance_to_the_level(value, g, factor):
    """Codes 0..3, step 1: x_n - x_q = (x - round(x)) / 3; gain 1 / sqrt(1 * 3)."""
    of_x, of_step = gradients(ewgs(), value, g)
    assert of_x == pytest.approx(g * factor)
    slope = round(value) - value * factor
    assert of_step == pytest.approx(g * slope / math.sqrt(3), rel=1e-5)


@pytest.mark.parametrize(("value", "code"), [(9.0, 3), (-2.0, 0)])
def test_clipped_values_have_the_gradient_of_the_bounds(value, code):
    of_x, of_step = gradients(ewgs(), value, 1.0)
    assert of_x == 0
    assert of_step == pytest.approx(code / math.sqrt(3))


def test_the_interval_of_a_signed_grid_has_both_halves():
    """Codes -2..1: x_n - x_q = (x - round(x)) / 3."""
    of_x, _ = gradients(ewgs(signed=True), -0.6, 1.0)
    assert of_x == pytest.approx(1 + 0.3 * 0.4 / 3)


def test_delta_zero_is_lsq():
    x = torch.randn(1, 200, generator=torch.Generator().manual_seed(0))
    results = []
    for quantizer in (ewgs(delta=0.0), LSQQuantizer(TensorSpec(bits=2, signed=False), Layout())):
        quantizer.set_qparams(torch.full((1,), 0.6), torch.zeros(1))
        own = x.clone().requires_grad_()
        y = quantizer(own)
        (y * torch.arange(200.0)).sum().backward()
        results.append((y, own.grad, quantizer.step.grad))
    for first, second in zip(*results, strict=True):
        torch.testing.assert_close(first, second)


@pytest.mark.parametrize(
    ("signed", "step"),
    [(True, 2 * 3 * 5**0.5 / 3), (False, 3 * 5**0.5 / math.sqrt(1 - 2 / math.pi) / 3)],
)
def test_the_papers_start(signed, step):
    quantizer = EWGSQuantizer(TensorSpec(bits=2, signed=signed), Layout(), start="paper")
    quantizer.set_phase("observe")
    quantizer(torch.tensor([[-1.0, 1.0, -3.0, 3.0]]))  # deviation sqrt(5)
    quantizer.set_phase("quantize")
    assert quantizer.step.item() == pytest.approx(step, rel=1e-6)


@pytest.mark.parametrize("delta", [-0.1, 11, "a", float("nan")])
def test_another_delta_is_refused(delta):
    with pytest.raises(ValueError, match="delta of ewgs must be 0 to 10"):
        ewgs(delta=delta)
