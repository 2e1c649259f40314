"""QIL by hand: Jung et al. 2019, Eq. 2, 3 and 5."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.qil import QILQuantizer


def qil(bits=3, signed=True, centre=2.0, distance=1.0, **options):
    quantizer = QILQuantizer(TensorSpec(bits=bits, signed=signed), Layout(), **options)
    quantizer.set_interval(torch.tensor([centre]), torch.tensor([distance]))
    return quantizer


def transformed(w, c, d, gamma=1.0):
    """Eq. 3."""
    magnitude = abs(w)
    if magnitude < c - d:
        return 0.0
    if magnitude > c + d:
        return 1.0 if w > 0 else -1.0
    return (0.5 / d * magnitude - 0.5 * c / d + 0.5) ** gamma * (1 if w > 0 else -1)


@pytest.mark.parametrize("gamma", [1.0, 0.5, 2.0])
@pytest.mark.parametrize("signed", [True, False])
def test_forward_follows_the_transformer_and_the_discretizer(signed, gamma):
    quantizer = qil(signed=signed, learn_gamma=True)
    with torch.no_grad():
        quantizer.gamma.fill_(gamma)
    x = torch.linspace(-4, 4, 803)
    x = x if signed else x.abs()
    q = 3 if signed else 7
    expected = [3.0 * round(q * transformed(v, 2.0, 1.0, gamma)) / q for v in x.tolist()]
    torch.testing.assert_close(quantizer(x), torch.tensor(expected))


@pytest.mark.parametrize("value", [0.7, 1.4, -2.2, 2.9, 3.5, -3.5])
def test_gradients_are_those_of_the_transformer(value):
    """y = (c + d) round(q w_hat) / q, with 1 for the derivative of the rounding."""
    quantizer, x = qil(), torch.tensor([value], requires_grad=True)
    quantizer(x).backward()
    hat, level = transformed(value, 2.0, 1.0), quantizer(x).item() / 3.0
    inside, sign = 1 <= abs(value) <= 3, 1 if value > 0 else -1
    of_centre = 3 * (-0.5 * sign) if inside else 0.0
    # d (0.5 |w| / d - 0.5 c / d + 0.5) / d d = -0.5 (|w| - c) / d^2
    of_distance = 3 * (-0.5 * (abs(value) - 2.0) * sign) if inside else 0.0
    assert x.grad.item() == pytest.approx(1.5 if inside else 0.0)
    assert quantizer.centre.grad.item() == pytest.approx(level + of_centre)
    assert quantizer.distance.grad.item() == pytest.approx(level + of_distance)
    assert abs(level - hat) <= 0.5 / 3 + 1e-6


def test_gamma_has_its_gradient_only_if_it_is_learned():
    import math

    quantizer = qil(learn_gamma=True)
    quantizer(torch.tensor([2.5])).backward()
    assert quantizer.gamma.grad.item() == pytest.approx(3 * 0.75 * math.log(0.75))
    assert not qil().gamma.requires_grad


def test_training_starts_as_a_uniform_grid():
    quantizer = qil()
    quantizer.set_range(-1.5, 1.5)
    assert quantizer.centre.item() == quantizer.distance.item() == 0.75
    assert quantizer(torch.tensor([0.2, 0.3, 0.8, 9.0])).tolist() == [0.0, 0.5, 1.0, 1.5]


def test_zero_stays_a_level_when_the_interval_passes_it():
    quantizer = qil(centre=0.2, distance=1.0)
    x = torch.tensor([0.0, 0.7], requires_grad=True)
    y = quantizer(x)
    y.sum().backward()
    assert y[0].item() == 0
    assert quantizer.centre.grad.item() != 0


def test_negative_values_of_an_unsigned_tensor_are_pruned():
    x = torch.tensor([-2.0], requires_grad=True)
    y = qil(signed=False)(x)
    y.backward()
    assert y.item() == x.grad.item() == 0
