"""APoT by hand: Li, Dong and Wang 2020, Eq. 5 and 7 to 9."""

from itertools import product

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.apot import APoTQuantizer, unit_levels


def apot(bits=4, signed=True, layout=None, **options):
    observer = options.pop("observer", Method("default"))
    spec = TensorSpec(bits=bits, signed=signed, observer=observer)
    return APoTQuantizer(spec, layout or Layout(), **options)


def sums(*terms):
    levels = sorted(sum(choice) for choice in product(*terms))
    return [level / levels[-1] for level in levels]


@pytest.mark.parametrize(
    ("bits", "terms"),
    [
        (2, [(0, 1, 1 / 2, 1 / 4)]),
        (3, [(0, 1, 1 / 2, 1 / 8), (0, 1 / 4)]),
        (4, [(0, 1, 1 / 4, 1 / 16), (0, 1 / 2, 1 / 8, 1 / 32)]),
        (5, [(0, 1, 1 / 4, 1 / 32), (0, 1 / 2, 1 / 8, 1 / 64), (0, 1 / 16)]),
    ],
)
def test_unsigned_levels_are_the_sums_of_eq_5(bits, terms):
    assert unit_levels(bits, signed=False).tolist() == pytest.approx(sums(*terms))


def test_signed_levels_have_a_bit_for_the_sign():
    assert unit_levels(2, signed=True).tolist() == [-1, 0, 1]
    magnitudes = unit_levels(3, signed=False)
    assert unit_levels(4, signed=True).tolist() == [
        *(-magnitudes[1:]).flip(0).tolist(),
        *magnitudes.tolist(),
    ]


@pytest.mark.parametrize("bits", range(2, 9))
def test_all_levels_differ(bits):
    assert unit_levels(bits, signed=False).unique().numel() == 2**bits
    assert unit_levels(bits, signed=True).unique().numel() == 2**bits - 1


@pytest.mark.parametrize(
    ("value", "level", "of_value", "of_clip"),
    [
        pytest.param(0.9, 1.0, 1, 1.0 / 2 - 0.9 / 2, id="inside: level / alpha - w / alpha"),
        pytest.param(-0.3, -0.5, 1, -0.5 / 2 + 0.3 / 2, id="inside, negative"),
        pytest.param(5.0, 2.0, 0, 1.0, id="above: sign"),
        pytest.param(-5.0, -2.0, 0, -1.0, id="below: sign"),
    ],
)
def test_forward_and_gradients_follow_eq_6_and_7(value, level, of_value, of_clip):
    """3 bits, alpha 2: levels 0, 0.5, 1, 2 and their negatives."""
    quantizer, x = apot(3), torch.tensor([value], requires_grad=True)
    quantizer.set_range(-2.0, 2.0)
    y = quantizer(x)
    y.backward()
    assert y.item() == level
    assert x.grad.item() == of_value
    assert quantizer.clip.grad.item() == pytest.approx(of_clip)


def test_an_unsigned_grid_passes_nothing_below_zero():
    quantizer, x = apot(3, signed=False), torch.tensor([-1.0, -5.0, 0.64], requires_grad=True)
    quantizer.set_range(0.0, 2.0)
    quantizer(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 1]
    assert quantizer.clip.grad.item() == pytest.approx(0.3 - 0.32)  # of the last value alone


def test_standardized_weights_follow_eq_8_times_std():
    weight = torch.tensor([[1.0, 2.0, 3.0, 6.0]], requires_grad=True)  # mean 3, std sqrt(3.5)
    quantizer = apot(2, standardize=True, layout=Layout.of_weight("channel", (1, 4))).train()
    quantizer.set_range(-1.2, 1.2)
    quantizer.eval()
    quantizer.train()
    std = 3.5**0.5
    y = quantizer(weight)
    expected = [std * 1.2 * level for level in (-1, 0, 0, 1)]  # -1.07, -0.53, 0, 1.6 in std
    assert y.tolist()[0] == pytest.approx(expected)
    y[0, 3].backward()
    assert quantizer.clip.grad.item() == pytest.approx(std)
    # y = std * alpha there; d std / d w_i = (w_i - mean) / (4 std)
    assert weight.grad.tolist()[0] == pytest.approx([1.2 * d / (4 * std) for d in (-2, -1, 0, 3)])
    assert torch.equal(quantizer.eval()(weight), y)
    assert torch.equal(quantizer.decode(quantizer.encode(weight.detach())), y)


def calibrated(quantizer, x):
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    return quantizer


def test_the_start_has_the_least_error_of_a_fine_search():
    x = torch.randn(1, 5000, generator=torch.Generator().manual_seed(0))
    quantizer = calibrated(apot(4), x)
    found = (quantizer(x) - x).square().mean().item()
    errors = []
    for clip in torch.linspace(0.5, 4.0, 200).tolist():
        quantizer.set_range(-clip, clip)
        errors.append((quantizer(x) - x).square().mean().item())
    assert found <= 1.01 * min(errors)


def test_the_papers_start():
    x = torch.randn(1, 5000, generator=torch.Generator().manual_seed(0))
    signed = calibrated(apot(4, start="paper"), 2 * x)
    assert signed.clip.item() == pytest.approx(3 * (2 * x).std(correction=0).item(), rel=1e-5)
    assert calibrated(apot(4, signed=False, start="paper"), x.abs()).clip.item() == 8
    standardized = calibrated(apot(4, start="paper", standardize=True), 2 * x)
    assert standardized.clip.item() == pytest.approx(3, rel=1e-5)


def test_the_observers_start_is_its_range():
    quantizer = calibrated(apot(4, observer=Method("minmax")), torch.tensor([[-2.0, 6.0]]))
    assert quantizer.clip.item() == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "zero"}, "start of apot must be one of mse, paper"),
        ({"start": "paper", "observer": Method("ema")}, "would ignore the observer 'ema'"),
    ],
)
def test_what_it_cannot_do_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        apot(**options)
