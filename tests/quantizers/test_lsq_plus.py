"""LSQ+ by hand: Bhalgat et al. 2020, section 3."""

import math

import pytest
import torch

from qat.core.layout import Layout
from qat.core.rounding import activated_and_rounded, activated_then_rounded
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.lsq_plus import LSQPlusQuantizer


def lsq_plus(bits=2, step=1.0, offset=-1.0, layout=None, **settings):
    granularity = "channel" if layout else "tensor"
    fields = {"signed": False, "symmetric": False, "granularity": granularity, **settings}
    start = fields.pop("start", "mse")
    quantizer = LSQPlusQuantizer(TensorSpec(bits=bits, **fields), layout or Layout(), start)
    quantizer.set_range(-1.0, 1.0)
    with torch.no_grad():
        quantizer.step.fill_(step)
        quantizer.offset.fill_(offset)
    return quantizer


def test_forward_has_an_integer_zero_point():
    """Step 0.5, offset -0.7: zero point round(1.4) = 1, so values -0.5 to 1."""
    quantizer = lsq_plus(step=0.5, offset=-0.7)
    assert quantizer.qparams().zero_point.item() == 1
    assert quantizer(torch.tensor([-3.0, -0.3, 0.1, 0.4, 7.0])).tolist() == [-0.5, -0.5, 0, 0.5, 1]


@pytest.mark.parametrize(("offset", "zero_point"), [(3.0, 0), (-9.0, 3), (0.0, 0)])
def test_the_zero_point_is_a_code(offset, zero_point):
    assert lsq_plus(offset=offset).qparams().zero_point.item() == zero_point


@pytest.mark.parametrize(
    ("value", "of_step", "of_offset", "of_x"),
    [
        pytest.param(0.6, 1 - 0.6, 0, 1, id="inside"),
        pytest.param(9.0, 3, 1, 0, id="above: p"),
        pytest.param(-9.0, 0, 1, 0, id="below: n"),
    ],
)
def test_gradients(value, of_step, of_offset, of_x):
    """Step 1, offset -1, codes 0..3; the gain is 1 / sqrt(1 * 3)."""
    quantizer, x = lsq_plus(), torch.tensor([value], requires_grad=True)
    quantizer(x).backward()
    assert quantizer.step.grad.item() == pytest.approx(of_step / math.sqrt(3), abs=1e-6)
    assert quantizer.offset.grad.item() == pytest.approx(of_offset / math.sqrt(3))
    assert x.grad.item() == of_x


def test_each_channel_learns_its_own_offset():
    quantizer = lsq_plus(layout=Layout.of_activation("channel", 2))
    x = torch.tensor([[9.0, 0.1], [9.0, -9.0]])
    quantizer(x).sum().backward()
    torch.testing.assert_close(quantizer.offset.grad, torch.tensor([2.0, 1.0]) / math.sqrt(3))


@pytest.mark.parametrize("fused", [activated_and_rounded, activated_then_rounded])
def test_fused_with_an_addition_and_a_relu_it_computes_the_same(fused):
    generator = torch.Generator().manual_seed(0)
    x, addend = torch.randn(2, 40, generator=generator), torch.randn(2, 40, generator=generator)
    results = []
    for is_fused in (True, False):
        quantizer, own = lsq_plus(offset=-0.4, step=0.4), x.clone().requires_grad_()
        if is_fused:
            y = fused(own, addend, quantizer.rounding(own), "relu")
            y = y[-1] if isinstance(y, tuple) else y
        else:
            y = quantizer(torch.relu(own + addend))
        (y * torch.arange(40.0)).sum().backward()
        results.append((y, own.grad, quantizer.step.grad, quantizer.offset.grad))
    for first, second in zip(*results, strict=True):
        assert torch.equal(first, second)


def test_the_start_is_of_least_error_and_no_worse_than_the_extremes():
    x = torch.randn(1, 3000, generator=torch.Generator().manual_seed(0)) + 0.8
    error = {}
    for start, observer in (("mse", "default"), ("paper", "default"), ("observer", "minmax")):
        quantizer = lsq_plus(bits=3, start=start, observer=Method(observer))
        quantizer.set_phase("observe")
        quantizer(x)
        quantizer.set_phase("quantize")
        error[start] = (quantizer(x) - x).square().mean().item()
    assert error["mse"] == error["paper"] < 0.7 * error["observer"]


def test_learning_moves_the_offset_to_the_values():
    x = torch.rand(1, 2000, generator=torch.Generator().manual_seed(0)) * 3 - 2  # -2..1
    quantizer = lsq_plus(bits=4, step=0.1, offset=0.0)
    optimizer = torch.optim.Adam(quantizer.parameters(), lr=0.02)
    for _ in range(300):
        optimizer.zero_grad()
        (quantizer(x) - x).square().mean().backward()
        optimizer.step()
    assert (quantizer(x) - x).square().mean().item() < 2 * 0.2**2 / 12
    assert quantizer.offset.item() == pytest.approx(-2, abs=0.3)


def test_a_symmetric_grid_is_refused():
    with pytest.raises(ValueError, match=r"symmetric=true \(lsq_plus has symmetric=false\)"):
        lsq_plus(symmetric=True)
