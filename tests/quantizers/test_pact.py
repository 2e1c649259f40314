"""PACT by hand: Choi et al. 2018, Eq. 1 to 3 and section 4.2."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.pact import PACTQuantizer
from qat.training.optimizers import quantizer_groups
from qat.training.specs import OptimizerSpec


def pact(bits=2, signed=False, alpha=6.0, layout=None, **options):
    spec = TensorSpec(bits=bits, signed=signed, granularity="channel" if layout else "tensor")
    quantizer = PACTQuantizer(spec, layout or Layout(), **options)
    quantizer.set_range(-alpha if signed else 0.0, alpha)
    return quantizer


def test_forward_is_eq_1_and_2():
    x = np.linspace(-2, 9, 45, dtype=np.float32)
    clipped = 0.5 * (np.abs(x) - np.abs(x - 6) + 6)
    expected = np.round(clipped * 7 / 6) * 6 / 7
    rounded = pact(bits=3)(torch.from_numpy(x)).detach()
    np.testing.assert_allclose(rounded.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("value", "of_alpha", "of_x"),
    [(-0.5, 0, 0), (0.0, 0, 1), (2.6, 0, 1), (5.9, 0, 1), (6.0, 1, 0), (9.0, 1, 0)],
)
def test_gradients_are_eq_3(value, of_alpha, of_x):
    quantizer, x = pact(), torch.tensor([value], requires_grad=True)
    quantizer(x).backward()
    assert quantizer.alpha.grad.item() == pytest.approx(of_alpha, abs=1e-6)
    assert x.grad.item() == of_x


def test_a_signed_tensor_is_clipped_on_both_sides():
    """Codes -8..7 and alpha 7: below -8 the gradient of alpha is -8/7."""
    quantizer, x = pact(bits=4, signed=True, alpha=7.0), torch.tensor([-20.0], requires_grad=True)
    y = quantizer(x)
    y.backward()
    assert y.item() == -8.0
    assert quantizer.alpha.grad.item() == pytest.approx(-8 / 7)
    assert x.grad.item() == 0


def test_each_channel_has_its_own_level():
    quantizer = pact(layout=Layout.of_activation("channel", 2))
    with torch.no_grad():
        quantizer.alpha.copy_(torch.tensor([3.0, 6.0]))
    y = quantizer(torch.full((1, 2, 1, 2), 9.0))
    y.sum().backward()
    assert y[0, :, 0, 0].tolist() == [3.0, 6.0]
    assert quantizer.alpha.grad.tolist() == pytest.approx([2, 2])


@pytest.mark.parametrize(
    ("start", "signed", "alpha"),
    [("paper", False, 10.0), ("observer", False, 4.0), ("paper", True, None)],
)
def test_starts(start, signed, alpha):
    spec = TensorSpec(
        bits=4, signed=signed, observer=Method("minmax" if start == "observer" else "default")
    )
    quantizer = PACTQuantizer(spec, Layout(), start=start)
    quantizer.set_phase("observe")
    quantizer(torch.tensor([[-1.0 if signed else 0.0, 4.0]]))
    quantizer.set_phase("quantize")
    if alpha is None:  # a signed tensor starts from its data
        assert quantizer.alpha.item() < 6
    else:
        assert quantizer.alpha.item() == pytest.approx(alpha)


def test_the_start_of_least_error_on_a_half_normal_is_the_known_step():
    """Step 0.1932 at 4 bits for a half-normal distribution."""
    quantizer = PACTQuantizer(TensorSpec(bits=4, signed=False), Layout())
    quantizer.set_phase("observe")
    quantizer(torch.randn(1, 300_000, generator=torch.Generator().manual_seed(0)).abs())
    quantizer.set_phase("quantize")
    assert quantizer.alpha.item() / 15 == pytest.approx(0.1932, rel=0.02)


@pytest.mark.parametrize(("decay", "expected"), [("weights", 2e-4), (0.5, 0.5), (0, 0.0)])
def test_alpha_has_a_decay_of_its_own(decay, expected):
    net = nn.Sequential(pact(decay=decay))
    spec = OptimizerSpec(weight_decay=2e-4, step_weight_decay=0.1, step_lr=0.01)
    (group,) = quantizer_groups(net, spec)
    assert group["params"] == [net[0].alpha]
    assert (group["weight_decay"], group["lr"]) == (expected, 0.01)


def test_decay_shrinks_alpha_by_lr_times_decay():
    net = nn.Sequential(pact(decay=0.5))
    (group,) = quantizer_groups(net, OptimizerSpec(step_lr=0.1))
    optimizer = torch.optim.SGD([{k: v for k, v in group.items() if k != "name"}])
    net(torch.tensor([1.0])).sum().backward()
    optimizer.step()
    assert net[0].alpha.item() == pytest.approx(6 * (1 - 0.1 * 0.5))


@pytest.mark.parametrize("decay", [-1, 101, "none", float("nan")])
def test_another_decay_is_refused(decay):
    with pytest.raises(ValueError, match="decay of pact must be weights or 0 to 100"):
        pact(decay=decay)
