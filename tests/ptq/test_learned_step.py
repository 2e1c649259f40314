"""Learned steps of activations and dropped rounding, against sums by hand."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.ptq.learned_step import LearnedStep, keeps
from qat.quantizers.minmax import MinMaxQuantizer


def quantizer(zero_point=0.0, signed=True):
    made = MinMaxQuantizer(
        TensorSpec(bits=3, signed=signed, symmetric=zero_point == 0), Layout()
    ).eval()
    made.set_qparams(torch.tensor([0.5]), torch.tensor([zero_point]))
    return made


@pytest.mark.parametrize(
    ("value", "zero_point", "signed", "of_step", "of_value"),
    [
        pytest.param(0.6, 0.0, True, 1 - 1.2, 1, id="inside"),
        pytest.param(9.0, 0.0, True, 3, 0, id="above"),
        pytest.param(-9.0, 0.0, True, -4, 0, id="below"),
        pytest.param(-0.8, 5.0, False, -2 + 1.6, 1, id="zero-point-inside"),
        pytest.param(9.0, 5.0, False, 7 - 5, 0, id="zero-point-above"),
        pytest.param(-9.0, 5.0, False, 0 - 5, 0, id="zero-point-below"),
    ],
)
def test_gradients_follow_eq_3_of_lsq(value, zero_point, signed, of_step, of_value):
    learned = LearnedStep(quantizer(zero_point, signed))
    x = torch.tensor([value], requires_grad=True)
    learned(x).backward()
    assert learned.step.grad.item() == pytest.approx(of_step, abs=1e-6)
    assert x.grad.item() == of_value


def test_rounds_as_the_quantizer_does_until_the_step_is_changed():
    own, x = quantizer(), torch.linspace(-3, 3, 101)
    learned = LearnedStep(own)
    assert torch.equal(learned(x), own(x))
    learned.step.data.mul_(2)
    assert own.scale.item() == 0.5
    own.set_qparams(learned.qparams().scale, learned.qparams().zero_point)
    assert torch.equal(learned(x), own(x))


def test_an_element_is_rounded_or_not():
    learned, x = LearnedStep(quantizer(), drop=0.5), torch.rand(4, 8, 5, 5) + 0.01
    learned.generator = torch.Generator().manual_seed(0)
    y = learned(x)
    kept, rounded = y == x, y == quantizer()(x)
    assert (kept | rounded).all()
    assert 0.45 < kept.float().mean() < 0.55


def test_the_step_learns_from_rounded_elements_alone():
    learned, x = LearnedStep(quantizer(), drop=0.5), torch.full((64,), 9.0)
    learned.generator = torch.Generator().manual_seed(0)
    y = learned(x)
    y.sum().backward()
    assert learned.step.grad.item() == 3 * int((y != x).sum())


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 1.0])
def test_the_share_of_kept_elements(probability):
    mask = keeps(torch.empty(100_003), probability, torch.Generator().manual_seed(4))
    assert mask.float().mean().item() == pytest.approx(probability, abs=0.01)


def test_masks_repeat_and_fit_any_shape():
    def mask(x):
        return keeps(x, 0.5, torch.Generator().manual_seed(4))

    x = torch.randn(2, 3, 5, 7)
    assert torch.equal(mask(x), mask(x))
    last = x.to(memory_format=torch.channels_last)
    assert mask(last).stride() == last.stride()
    assert mask(x[:, 1:]).shape == (2, 2, 5, 7)
