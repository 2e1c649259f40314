"""Fused roundings against numpy, and against torch's separate operations."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from qat.core.grid import IntGrid
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.rounding import (
    activated_and_rounded,
    activated_then_rounded,
    by_slopes,
    fake_quantize,
    straight_through,
)
from qat.quantizers import lsq, tqt

FORMATS = (torch.contiguous_format, torch.channels_last)
SEPARATE = {"none": lambda x: x, "relu": F.relu, "relu6": F.relu6}


def qparams(layout=None, scale=0.3):
    layout = layout or Layout()
    return QParams(
        torch.full(layout.shape, scale),
        torch.zeros(layout.shape),
        IntGrid(4, signed=False),
        layout,
    )


def normal(seed, memory_format=torch.contiguous_format):
    generator = torch.Generator().manual_seed(seed)
    x = 4 * torch.randn(3, 5, 4, 4, generator=generator)
    return x.to(memory_format=memory_format).requires_grad_()


@pytest.mark.parametrize("activation", ["none", "relu", "relu6"])
def test_the_forward_pass_by_numpy(activation):
    x, addend = normal(0), normal(1)
    y, value = activated_and_rounded(x, addend, straight_through(qparams()), activation)
    low, high = {"none": (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6)}[activation]
    expected = np.clip((x + addend).detach().numpy(), low, high)
    codes = np.clip(np.rint(expected / np.float32(0.3)), 0, 15)
    assert np.array_equal(y.detach().numpy(), expected)
    assert np.array_equal(value.detach().numpy(), codes.astype(np.float32) * np.float32(0.3))


@pytest.mark.parametrize(
    "layout", [Layout(), Layout(axis=1, channels=5)], ids=["tensor", "channel"]
)
@pytest.mark.parametrize("activation", ["none", "relu", "relu6"])
@pytest.mark.parametrize("memory_format", FORMATS)
def test_gradients_equal_those_of_separate_operations(activation, memory_format, layout):
    """All readers of ``y``, both inputs, and upstream gradients of another format."""
    own, upstream = normal(2).detach(), normal(3).detach()
    results = []
    for is_fused in (False, True):
        x, addend = normal(0, memory_format), normal(1, memory_format)
        if is_fused:
            rounding = straight_through(qparams(layout))
            y, value = activated_and_rounded(x, addend, rounding, activation)
        else:
            y = SEPARATE[activation](x + addend)
            value = fake_quantize(y, qparams(layout))
        torch.autograd.backward([y, value], [own, upstream])
        results.append((y, value, x.grad, addend.grad))
    for plain, fused in zip(*results, strict=True):
        assert torch.equal(plain, fused)
    assert bool(results[1][2].any())


@pytest.mark.parametrize("has_addend", [False, True])
def test_without_other_readers_only_the_rounded_value_is_returned(has_addend):
    upstream, gradients = normal(3).detach(), []
    for is_fused in (False, True):
        x, addend = normal(0), normal(1) if has_addend else None
        if is_fused:
            value = activated_then_rounded(x, addend, straight_through(qparams()), "relu")
        else:
            value = fake_quantize(F.relu(x if addend is None else x + addend), qparams())
        value.backward(upstream)
        gradients.append(x.grad)
    assert torch.equal(*gradients)
    assert bool(gradients[0].any())


def test_a_result_that_nothing_reads_gets_no_gradient():
    x = normal(0)
    y, _ = activated_and_rounded(x, None, straight_through(qparams()), "relu")
    y.sum().backward()
    assert torch.equal(x.grad, (x > 0).float())


@pytest.mark.parametrize("memory_format", FORMATS)
def test_results_and_gradients_keep_the_memory_format(memory_format):
    x = normal(0, memory_format)
    y, value = activated_and_rounded(x, None, straight_through(qparams()), "relu")
    (y + value).sum().backward()
    for tensor in (y, value, x.grad):
        assert tensor.is_contiguous(memory_format=memory_format)


def test_an_upstream_gradient_of_another_format_meets_its_own_values():
    """Rows of both are in the order of the values: element by element, by hand."""
    x = normal(0, torch.channels_last)
    upstream = torch.arange(x.numel(), dtype=torch.float32).reshape(x.shape)
    fake_quantize(x, qparams()).backward(upstream)
    inside = (x / 0.3 > -1e-4) & (x / 0.3 < 15 + 1e-4)
    assert torch.equal(x.grad, torch.where(inside, upstream, 0.0))


@pytest.mark.parametrize("activation", ["none", "relu", "relu6"])
def test_a_backward_pass_from_slopes_by_numpy(activation):
    def slopes(grad, y, scale, zero_point, qmin, qmax, *, factor):
        return torch.where(y < 2, factor * grad, 0.0), y + scale * qmax + zero_point

    rows, grad, of_y = (normal(seed).detach().reshape(4, -1) for seed in range(3))
    scale, zero_point = torch.rand(4, 1), torch.ones(4, 1)
    terms = grad, of_y, rows, scale, zero_point, activation, -8, 7
    results = by_slopes(slopes, has_offset=True)(*terms, factor=3.0)
    assert all(
        torch.equal(one, other)
        for one, other in zip(by_slopes(slopes)(*terms, factor=3.0), results[:2], strict=True)
    )
    own, g, other = (t.numpy() for t in (rows, grad, of_y))
    low, high = {"none": (-np.inf, np.inf), "relu": (0, np.inf), "relu6": (0, 6)}[activation]
    y = np.clip(own, low, high)
    passed = np.where(y < 2, 3 * g, 0)
    of_x = np.where((own > low) & (own < high), other + passed, 0)
    slope = y + scale.numpy() * 7 + 1
    assert np.array_equal(results[0].numpy(), of_x.astype(np.float32))
    np.testing.assert_allclose(results[1][:, 0], (g * slope).sum(1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(results[2][:, 0], (g - passed).sum(1), rtol=1e-4, atol=1e-4)


def test_each_method_compiles_code_of_its_own():
    """torch keeps a limited number of compiled variants of one code object."""
    codes = {each.__wrapped__.__code__ for each in (lsq._gradients, tqt._gradients)}
    assert len(codes) == 2
