"""SAWB: its coefficients, and Max's optimum on normal values."""

import numpy as np
import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.sawb import SAWBQuantizer


def sawb(bits=2, shape=(1, 4), granularity="tensor", **settings):
    spec = TensorSpec(bits=bits, signed=True, granularity=granularity, **settings)
    return SAWBQuantizer(spec, Layout.of_weight(granularity, shape))


def observed(quantizer, w):
    quantizer.set_phase("observe")
    quantizer(w)
    quantizer.set_phase("quantize")
    return quantizer


@pytest.mark.parametrize(
    ("bits", "c1", "c2"),
    [
        (2, 3.12, -2.064),
        (3, 7.509, -6.892),
        (4, 12.68, -12.80),
        (5, 17.74, -18.64),
        (8, 31.76, -35.04),
    ],
)
def test_the_outermost_level_is_the_papers_formula(bits, c1, c2):
    w = torch.randn(2, 300, generator=torch.Generator().manual_seed(bits)) * 0.3
    values = w.double().numpy()
    expected = c1 * np.sqrt((values**2).mean()) + c2 * np.abs(values).mean()
    quantizer = observed(sawb(bits, w.shape), w)
    assert quantizer.codebook().values.max().item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("bits", "here", "best"), [(2, 1.473, 1.494), (3, 2.010, 2.051), (4, 2.467, 2.514)]
)
def test_on_normal_values_it_lies_within_three_percent_of_the_optimum(bits, here, best):
    w = torch.randn(1, 1_000_000, generator=torch.Generator().manual_seed(0))
    outer = sawb(bits).outer_level(w).item()
    assert outer == pytest.approx(here, rel=0.01)
    assert outer == pytest.approx(best, rel=0.03)


def test_values_get_the_nearest_of_levels_without_zero():
    quantizer = sawb().eval()
    quantizer.set_outer(torch.tensor([3.0]))  # levels -3, -1, 1, 3
    x = torch.tensor([[-9.0, -0.1, 0.3, 2.2]])
    assert quantizer(x).tolist() == [[-3, -1, 1, 3]]
    assert quantizer.codebook().values.tolist() == [[-3, -1, 1, 3]]
    assert quantizer.encode(x).tolist() == [[0, 1, 2, 3]]


def test_each_channel_has_its_own_moments():
    w = torch.randn(3, 200, generator=torch.Generator().manual_seed(0))
    w *= torch.tensor([[0.1], [1.0], [4.0]])
    quantizer = observed(sawb(4, w.shape, "channel"), w)
    alone = [observed(sawb(4, (1, 200)), row[None])(row[None]) for row in w]
    torch.testing.assert_close(quantizer(w), torch.cat(alone))


def test_the_gradient_is_one_everywhere():
    quantizer, x = observed(sawb(), torch.ones(1, 4)), torch.tensor([[-9.0, 0.1, 9.0, 0.0]])
    x.requires_grad_()
    quantizer(x).sum().backward()
    assert x.grad.tolist() == [[1, 1, 1, 1]]


def test_the_levels_follow_in_training_only():
    w = torch.randn(1, 50, generator=torch.Generator().manual_seed(0))
    quantizer = observed(sawb(2), w).eval()
    first = quantizer(w).max()
    assert quantizer(2 * w).max() == first
    torch.testing.assert_close(quantizer.train()(2 * w).max(), 2 * first)
    quantizer.frozen = True
    torch.testing.assert_close(quantizer(w).max(), 2 * first)


@pytest.mark.parametrize("w", [torch.ones(1, 8), torch.zeros(1, 8)])
def test_weights_of_one_magnitude_have_positive_levels(w):
    assert observed(sawb(8), w)(w).max() > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bits": 6}, r"bits=6 \(sawb has bits=2 to 5 or 8\)"),
        ({"symmetric": False}, "symmetric=false"),
        ({"observer": Method("mse")}, "would ignore the observer 'mse'"),
    ],
)
def test_what_it_cannot_do_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        sawb(**settings)
