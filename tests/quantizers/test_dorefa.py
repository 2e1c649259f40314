"""DoReFa by hand: Zhou et al. 2016, section 2."""

import copy
import pickle

import numpy as np
import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.dorefa import DoReFaActivation, DoReFaQuantizer, DoReFaWeight

W = [[-0.7, -0.1, 0.3, 1.2]]


def weight(bits=2, output="unit", granularity="tensor", shape=(1, 4), **settings):
    spec = TensorSpec(bits=bits, signed=True, granularity=granularity, **settings)
    return DoReFaQuantizer(spec, Layout.of_weight(granularity, shape), output=output)


def act(bits=2, signed=False, clip="paper", **settings):
    spec = TensorSpec(bits=bits, signed=signed, **settings)
    return DoReFaQuantizer(spec, Layout.of_activation("tensor", 1), clip=clip)


def observed(quantizer, x):
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    return quantizer


def eq_9(w, bits):
    n = 2**bits - 1
    bent = np.tanh(w)
    return 2 * np.round(n * (bent / (2 * np.abs(bent).max()) + 0.5)) / n - 1


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_a_weight_is_eq_9(bits):
    w = torch.randn(1, 400, generator=torch.Generator().manual_seed(bits))
    quantizer = observed(weight(bits, shape=w.shape), w)
    expected = eq_9(w.double().numpy(), bits)
    np.testing.assert_allclose(quantizer(w).numpy(), expected, atol=1e-6)


def test_the_size_of_the_float_weights_is_kept_on_request():
    w = torch.tensor(W)
    outer = np.tanh(1.2)
    quantizer = observed(weight(output="float"), w)
    np.testing.assert_allclose(quantizer(w).numpy(), outer * eq_9(np.array(W), 2), rtol=1e-6)
    assert not (quantizer.codebook().values == 0).any()


def test_the_gradient_of_a_weight_is_the_chain_through_tanh_and_maximum():
    """Of r = tanh(w) / m with m = max|tanh(w)|, by finite differences in float64."""
    grad, w = np.array([[1.0, 2.0, -1.0, 0.5]]), np.array(W)

    def loss(v):
        return float((grad * np.tanh(v) / np.abs(np.tanh(v)).max()).sum())

    eye, h = np.eye(4), 1e-6
    expected = [[(loss(w + h * e) - loss(w - h * e)) / (2 * h) for e in eye]]
    x = torch.tensor(W, requires_grad=True)
    quantizer = observed(weight(), x).train()
    (quantizer(x) * torch.tensor(grad, dtype=torch.float32)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_the_gradient_of_a_dead_channel_is_finite():
    x = torch.tensor([[0.0, 0.0], [1.0, -0.5]], requires_grad=True)
    quantizer = observed(weight(shape=x.shape, granularity="channel"), x).train()
    quantizer(x).sum().backward()
    assert x.grad[0].tolist() == [1, 1]  # tanh'(0) / 1


def test_the_gradient_of_a_kept_size_is_that_of_tanh():
    x = torch.tensor(W, requires_grad=True)
    observed(weight(output="float"), x).train()(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 - np.tanh(np.array(W)) ** 2, rtol=1e-5)


def test_in_training_the_maximum_follows_the_weight():
    quantizer = observed(weight(output="float"), torch.tensor(W)).train()
    quantizer(2 * torch.tensor(W))
    assert quantizer.outer.item() == pytest.approx(np.tanh(2.4))
    quantizer.eval()(torch.tensor(W))
    assert quantizer.outer.item() == pytest.approx(np.tanh(2.4))


def test_each_channel_has_its_own_maximum():
    w = torch.tensor([[0.1, -0.2], [3.0, 1.0]])
    quantizer = observed(weight(shape=w.shape, granularity="channel"), w)
    assert quantizer(w).abs().amax(dim=1).tolist() == [1, 1]


def test_an_activation_is_eq_11():
    quantizer, x = observed(act(), torch.tensor([[0.0, 7.0]])), torch.linspace(-1, 2, 31)
    expected = np.round(np.clip(x.numpy(), 0, 1) * 3) / 3
    np.testing.assert_allclose(quantizer(x).numpy(), expected, atol=1e-6)
    x.requires_grad_()
    quantizer(x).sum().backward()
    inside = (x > 0.01) & (x < 0.99)
    assert bool((x.grad[inside] == 1).all())
    assert not x.grad[(x < -0.01) | (x > 1.01)].any()


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ({"clip": "observer", "observer": Method("minmax")}, 7.0),
        ({"clip": "paper", "signed": True, "bits": 8}, 7.0),
    ],
)
def test_an_activation_may_be_clipped_at_an_observed_end(settings, end):
    quantizer = observed(act(**settings), torch.tensor([[0.0, 7.0]]))
    assert quantizer(torch.tensor([99.0])).item() == pytest.approx(end, rel=0.02)


def test_the_layout_says_what_the_tensor_is():
    assert type(weight()) is DoReFaWeight
    assert type(act()) is DoReFaActivation
    assert weight().codebook() is not None
    assert act().codebook() is None


@pytest.mark.parametrize("quantizer", [weight(), act()])
def test_it_can_be_copied(quantizer):
    observed(quantizer, torch.tensor(W).abs())
    for other in (copy.deepcopy(quantizer), pickle.loads(pickle.dumps(quantizer))):
        assert type(other) is type(quantizer)
        assert torch.equal(other(torch.tensor(W)), quantizer(torch.tensor(W)))


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (weight, {"output": "big"}, "output of dorefa must be one of float, unit"),
        (weight, {"observer": Method("mse")}, "would ignore the observer 'mse'"),
        (act, {"observer": Method("mse")}, "would ignore the observer 'mse'"),
        (act, {"clip": "one"}, "clip of dorefa must be one of paper, mse, observer"),
        (weight, {"bits": 9}, "bits=9"),
    ],
)
def test_what_it_cannot_do_is_refused(make, settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings)
