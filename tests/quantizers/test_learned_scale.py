"""What methods with a learned scale share: starts, gain, and their ways to compute."""

import pytest
import torch

from qat.core.kernels import current_kernel, set_kernel
from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.learned_scale import LearnedScale
from qat.quantizers.registry import make_quantizer

SHAPE = (3, 4, 5, 5)
METHODS = {
    "lsq": {},
    "pact": {},
    "lsq_plus": {"symmetric": False},
    "tqt": {"scale": "power_of_two"},
    "ewgs": {},
}


def make(name, bits=3, granularity="tensor", options=None, **settings):
    fields = {"bits": bits, "signed": False, "granularity": granularity, **METHODS[name]}
    spec = TensorSpec(quantizer=Method(name, options=options or {}), **{**fields, **settings})
    quantizer = make_quantizer(spec, Layout.of_activation(granularity, SHAPE[1]))
    quantizer.set_phase("observe")
    quantizer(values())
    quantizer.set_phase("quantize")
    return quantizer


def values(seed=0):
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed)).abs()
    return x - 0.3 * (seed > 0)


def results(quantizer, rounds):
    x = values(1).requires_grad_()
    y = rounds(x)
    (y * values(2)).sum().backward()
    return y.detach(), x.grad, [p.grad.clone() for p in quantizer.parameters()]


@pytest.mark.parametrize("granularity", ["tensor", "channel"])
@pytest.mark.parametrize("name", METHODS)
def test_plain_operations_compute_the_same(name, granularity):
    """What a step that is compiled as a whole uses, against the one body of each pass."""
    first, second = (make(name, granularity=granularity) for _ in range(2))
    y, of_x, of_own = results(first, first)
    plain_y, plain_x, plain_own = results(second, second.in_plain_operations)
    assert torch.equal(y, plain_y)
    torch.testing.assert_close(of_x, plain_x)
    for own, plain in zip(of_own, plain_own, strict=True):
        torch.testing.assert_close(own, plain, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_compiled_kernels_compute_the_same(name):
    before, found = current_kernel(), []
    try:
        for kernel in ("eager", "compiled"):
            set_kernel(kernel)
            quantizer = make(name)
            found.append(results(quantizer, quantizer))
    finally:
        set_kernel(before)
    (y, of_x, of_own), (compiled_y, compiled_x, compiled_own) = found
    assert torch.equal(y, compiled_y)
    assert torch.equal(of_x, compiled_x)
    for own, compiled in zip(of_own, compiled_own, strict=True):
        torch.testing.assert_close(own, compiled, rtol=1e-4, atol=1e-6)


def test_the_gain_counts_elements_of_one_scale_without_the_batch():
    assert make("ewgs").gain(values()) == pytest.approx((4 * 25 * 7) ** -0.5)
    assert make("ewgs", granularity="channel").gain(values()) == pytest.approx((25 * 7) ** -0.5)


@pytest.mark.parametrize("name", ["lsq", "ewgs", "tqt"])
def test_the_gain_of_a_whole_weight_counts_all_its_elements(name):
    """Esser et al. 2020, section 2.2: N is the number of weights of the layer."""
    spec = TensorSpec(bits=3, signed=True, quantizer=Method(name), **METHODS[name])
    for granularity, count in (("tensor", 300), ("channel", 100)):
        layout = Layout.of_weight(granularity, SHAPE)
        quantizer = make_quantizer(spec.but(granularity=granularity), layout)
        assert quantizer.gain(values()) == pytest.approx((count * 3) ** -0.5)


def test_the_deviation_is_that_of_the_observed_values():
    quantizer = make("tqt", granularity="channel")
    expected = values().transpose(0, 1).reshape(4, -1).std(dim=1, correction=0)
    torch.testing.assert_close(quantizer.deviation(), expected)


@pytest.mark.parametrize("name", METHODS)
def test_starts_are_checked(name):
    with pytest.raises(ValueError, match=f"start of {name} must be one of paper, mse, observer"):
        make(name, options={"start": "zero"})
    with pytest.raises(ValueError, match=f"{name} with start=mse would ignore the observer 'ema'"):
        make(name, observer=Method("ema"))


@pytest.mark.parametrize("name", METHODS)
def test_they_are_of_one_kind(name):
    quantizer = make(name)
    assert isinstance(quantizer, LearnedScale)
    assert quantizer.method == name
