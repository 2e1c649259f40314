"""DSQ by hand: Gong et al. 2019, section 3.2."""

import math

import pytest
import torch

from qat.core.kernels import current_kernel, set_kernel
from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.dsq import DSQQuantizer


def dsq(bits=2, signed=False, symmetric=True, alpha=0.2):
    spec = TensorSpec(bits=bits, signed=signed, symmetric=symmetric)
    return DSQQuantizer(spec, Layout(), alpha=alpha)


def soft(x, lower, upper, alpha, bits):
    """``Q_S(x)``, with Python's floats."""
    delta = (upper - lower) / (2**bits - 1)
    if x <= lower or x >= upper:
        return min(max(x, lower), upper)
    cell = math.floor((x - lower) / delta)
    k, s = math.log(2 / alpha - 1) / delta, 1 / (1 - alpha)
    phi = s * math.tanh(k * (x - lower - (cell + 0.5) * delta))
    return lower + delta * (cell + (phi + 1) / 2)


def slope(function, at, width=1e-6):
    return (function(at + width) - function(at - width)) / (2 * width)


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("value", [-1.7, -1.2, -0.31, 0.4, 0.9, 1.6, 4.0])
def test_the_gradients_are_those_of_the_soft_staircase(value, alpha):
    lower, upper = -1.5, 1.5  # zero is halfway between two levels: the zero point is rounded
    quantizer = dsq(symmetric=False, alpha=alpha)
    with torch.no_grad():
        quantizer.lower.fill_(lower)
        quantizer.upper.fill_(upper)
    quantizer._set_ready()
    x = torch.tensor([value], dtype=torch.float64, requires_grad=True)
    quantizer.double()(x).backward()
    grads = (x.grad, quantizer.lower.grad, quantizer.upper.grad, quantizer.alpha.grad)
    expected = (
        slope(lambda v: soft(v, lower, upper, alpha, 2), value),
        slope(lambda v: soft(value, v, upper, alpha, 2), lower),
        slope(lambda v: soft(value, lower, v, alpha, 2), upper),
        slope(lambda v: soft(value, lower, upper, v, 2), alpha),
    )
    for computed, number in zip(grads, expected, strict=True):
        assert computed.item() == pytest.approx(number, abs=1e-4)


def test_the_forward_pass_is_the_hard_staircase():
    quantizer = dsq(symmetric=False)
    quantizer.set_range(-1.0, 2.0)
    x = torch.tensor([-9.0, -0.6, -0.4, 0.4, 0.6, 9.0])
    assert quantizer(x).tolist() == [-1, -1, 0, 0, 1, 2]


def test_a_symmetric_grid_has_one_clip():
    quantizer = dsq(bits=3, signed=True)
    quantizer.set_range(-1.5, 1.5)
    assert [name for name, _ in quantizer.named_parameters()] == ["upper", "alpha"]
    assert quantizer(torch.tensor([-9.0, 9.0])).tolist() == [-2.0, 1.5]
    quantizer(torch.tensor([-9.0])).backward()
    assert quantizer.upper.grad.item() == pytest.approx(-4 / 3)


def results(quantizer, rounds):
    x = torch.linspace(-2, 2, 90).reshape(2, 5, 3, 3).requires_grad_()
    y = rounds(x)
    (y * torch.linspace(-1, 1, 90).reshape(x.shape)).sum().backward()
    return y.detach(), [x.grad, *(p.grad.clone() for p in quantizer.parameters())]


def in_channels():
    spec = TensorSpec(bits=3, signed=True, symmetric=False, granularity="channel")
    quantizer = DSQQuantizer(spec, Layout(axis=1, channels=5))
    quantizer.set_range(-1.1, 1.6)
    return quantizer


def test_plain_operations_compute_the_same():
    """What a step that is compiled as a whole uses, against the one body of each pass."""
    first, second = in_channels(), in_channels()
    y, gradients = results(first, first)
    plain_y, plain = results(second, second.in_plain_operations)
    assert torch.equal(y, plain_y)
    for one, other in zip(gradients, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_compiled_kernels_compute_the_same():
    before, found = current_kernel(), []
    try:
        for kernel in ("eager", "compiled"):
            set_kernel(kernel)
            quantizer = in_channels()
            found.append(results(quantizer, quantizer))
    finally:
        set_kernel(before)
    (y, gradients), (compiled_y, compiled) = found
    assert torch.equal(y, compiled_y)
    for one, other in zip(gradients, compiled, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_alpha_returns_from_beyond_its_ends():
    quantizer = dsq()
    quantizer.set_range(0.0, 3.0)
    with torch.no_grad():
        quantizer.alpha.fill_(1.5)
    quantizer(torch.tensor([1.2])).backward()
    assert quantizer.alpha.grad.isfinite()
    assert quantizer.alpha.grad.item() != 0


@pytest.mark.parametrize("alpha", [0.0, 0.95, float("nan")])
def test_other_softness_is_refused(alpha):
    with pytest.raises(ValueError, match=r"alpha of dsq must be 0.001 to 0.9"):
        dsq(alpha=alpha)
