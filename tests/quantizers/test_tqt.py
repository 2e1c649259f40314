"""TQT by hand: Jain et al. 2020, section 3."""

import math

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.tqt import TQTQuantizer


def tqt(bits=3, signed=True, log2=0.5, **options):
    spec = TensorSpec(bits=bits, signed=signed, scale="power_of_two", **options.pop("spec", {}))
    quantizer = TQTQuantizer(spec, Layout(), **options)
    quantizer.set_range(0.0, 1.0)
    with torch.no_grad():
        quantizer.log2_threshold.fill_(log2)
    return quantizer


def observed(quantizer, x):
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    return quantizer


@pytest.mark.parametrize(
    ("bits", "signed", "log2", "scale"),
    [
        (3, True, 0.5, 2 / 4),
        (3, True, 1.0, 2 / 4),
        (3, True, 1.01, 4 / 4),
        (3, False, 0.5, 2 / 8),
        (8, True, -3.2, 2**-3 / 128),
    ],
)
def test_scale_is_a_power_of_two(bits, signed, log2, scale):
    assert tqt(bits, signed, log2).qparams().scale.item() == scale


def test_forward_is_eq_4():
    y = tqt()(torch.tensor([0.2, 0.3, -0.8, 9.0, -9.0]))  # scale 0.5, codes -4..3
    assert y.tolist() == [0.0, 0.5, -1.0, 1.5, -2.0]


@pytest.mark.parametrize(
    ("value", "slope", "of_x"),
    [
        pytest.param(0.6, 1 - 1.2, 1, id="inside"),
        pytest.param(1.7, 3 - 3.4, 1, id="rounds to p"),
        pytest.param(1.8, 3, 0, id="rounds above p"),
        pytest.param(-9.0, -4, 0, id="below n"),
    ],
)
def test_gradients_are_eq_7_and_8(value, slope, of_x):
    """``s ln 2 slope``, here times the gain 1 / sqrt(1 * 3)."""
    quantizer, x = tqt(), torch.tensor([value], requires_grad=True)
    quantizer(x).backward()
    expected = 0.5 * math.log(2) * slope / math.sqrt(3)
    assert quantizer.log2_threshold.grad.item() == pytest.approx(expected, rel=1e-5)
    assert x.grad.item() == of_x


def test_the_papers_start_is_three_deviations():
    x = torch.tensor([[-1.0, 1.0, -3.0, 3.0]])  # deviation sqrt(5)
    quantizer = observed(tqt(start="paper"), x)
    assert quantizer.log2_threshold.item() == pytest.approx(math.log2(3 * 5**0.5), rel=1e-6)


def test_the_observers_start_is_the_end_of_its_range():
    quantizer = tqt(start="observer", spec={"observer": Method("minmax")})
    observed(quantizer, torch.tensor([[-1.0, 5.0]]))
    assert quantizer.log2_threshold.item() == pytest.approx(math.log2(5), rel=1e-6)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3, 1.6, 2.0])
def test_the_start_of_least_error_is_the_best_power_of_two(factor):
    x = factor * torch.randn(1, 4000, generator=torch.Generator().manual_seed(0))
    quantizer = observed(tqt(bits=4), x)
    errors = {
        e: ((x / 2.0**e).round().clamp(-8, 7) * 2.0**e - x).square().sum() for e in range(-6, 4)
    }
    assert quantizer.qparams().scale.log2().item() == min(errors, key=errors.get)
    # the middle of the thresholds with this scale: a small step does not change it
    assert quantizer.log2_threshold.item() % 1 == 0.5


def test_a_set_scale_is_rounded_up():
    quantizer = tqt()
    quantizer.set_qparams(torch.tensor([0.3]), torch.zeros(1))
    assert quantizer.qparams().scale.item() == 0.5


def test_a_tensor_of_zeros_has_a_scale():
    for start in ("mse", "paper"):
        assert observed(tqt(start=start), torch.zeros(1, 8)).qparams().scale.isfinite().all()


def test_a_held_scale_stays_a_power_of_two():
    quantizer = tqt()
    quantizer.hold_scale(torch.tensor([0.6]))
    assert quantizer.qparams().scale.item() == 1.0


def test_learning_finds_the_better_threshold():
    x = torch.randn(1, 4000, generator=torch.Generator().manual_seed(1))
    quantizer = tqt(bits=4, log2=5.5)
    optimizer = torch.optim.Adam(quantizer.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        (quantizer(x) - x).square().mean().backward()
        optimizer.step()
    assert quantizer.qparams().scale.item() in (0.25, 0.5)  # the free optimum is 0.3386


def test_a_free_scale_is_refused():
    with pytest.raises(ValueError, match=r"tqt cannot have scale=free \(tqt has scale=power"):
        TQTQuantizer(TensorSpec(signed=True), Layout())
