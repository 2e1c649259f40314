"""N2UQ by hand: Liu et al. 2022, section 3.2."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.n2uq import N2UQQuantizer

WIDTHS = (2.0, 4.0, 1.0)  # ends 0, 2, 6, 7; thresholds 1, 4, 6.5


def n2uq(signed=False, bits=2, widths=WIDTHS, step=0.5):
    quantizer = N2UQQuantizer(TensorSpec(bits=bits, signed=signed), Layout())
    quantizer.set_widths(torch.tensor([widths]), torch.tensor([step]))
    return quantizer


def test_levels_are_even_and_thresholds_in_the_middle_of_the_intervals():
    x = torch.tensor([-1.0, 0.9, 1.0, 3.9, 4.0, 6.4, 6.6, 99.0])
    assert (n2uq()(x) / 0.5).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert n2uq().encode(x).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert n2uq().qparams().scale.item() == 0.5


@pytest.mark.parametrize(
    ("value", "of_value", "of_widths", "of_start", "code"),
    [
        # (x - d) / a: 1/a; -(x - d) / a^2 for the own width; -1/a for those before and the start
        pytest.param(1.5, 1 / 2, [-1.5 / 4, 0, 0], -1 / 2, 1, id="first interval"),
        pytest.param(3.0, 1 / 4, [-1 / 4, -1 / 16, 0], -1 / 4, 1, id="second interval"),
        pytest.param(6.75, 1, [-1, -1, -0.75], -1, 3, id="third interval"),
        pytest.param(9.0, 0, [0, 0, 0], 0, 3, id="above"),
        pytest.param(-1.0, 0, [0, 0, 0], 0, 0, id="below"),
    ],
)
def test_gradients_are_those_of_the_mean_of_a_stochastic_rounding(
    value, of_value, of_widths, of_start, code
):
    quantizer, x = n2uq(), torch.tensor([value], requires_grad=True)
    quantizer(x).backward()
    assert x.grad.item() == pytest.approx(0.5 * of_value)
    assert quantizer.widths.grad[0].tolist() == pytest.approx([0.5 * w for w in of_widths])
    assert quantizer.start.grad.item() == pytest.approx(0.5 * of_start)
    assert quantizer.scale.grad.item() == code


def test_signs_have_the_same_thresholds():
    quantizer = n2uq(signed=True, bits=3)
    x = torch.tensor([-99.0, -4.5, -1.5, -0.5, 0.5, 1.5, 4.5, 99.0], requires_grad=True)
    y = quantizer(x)
    assert (y / 0.5).tolist() == [-3, -2, -1, 0, 0, 1, 2, 3]
    y.sum().backward()
    assert torch.equal(x.grad, x.grad.flip(0))


def test_it_starts_as_the_uniform_grid_of_the_range():
    quantizer = N2UQQuantizer(TensorSpec(bits=3, signed=False), Layout())
    quantizer.set_range(0.0, 7.0)
    x = torch.linspace(0.01, 8, 400)
    assert torch.equal(quantizer(x), x.round().clamp(max=7))


def test_zero_stays_a_level_and_thresholds_ascend_whatever_training_does():
    quantizer = n2uq()
    with torch.no_grad():
        quantizer.start.fill_(-3.0)
        quantizer.widths.fill_(-1.0)
    ends = quantizer.thresholds()
    assert bool((ends > 0).all())
    assert bool((ends.diff(dim=1) > 0).all())
    quantizer(torch.tensor([1e-4])).sum().backward()
    assert quantizer.start.grad.item() != 0


def test_learning_moves_thresholds_to_a_better_place():
    """Even thresholds round 2.6 to 3; learned ones give 2."""
    x, target = torch.tensor([0.5, 0.6, 2.5, 2.6]), torch.tensor([1.0, 1.0, 2.0, 2.0])
    quantizer = n2uq(widths=(1.0, 1.0, 1.0), step=1.0)
    assert quantizer(x).tolist() == [1.0, 1.0, 3.0, 3.0]
    optimizer = torch.optim.SGD([quantizer.widths, quantizer.start], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        quantizer(x).sub(target).square().sum().backward()
        optimizer.step()
    assert quantizer(x).tolist() == target.tolist()
