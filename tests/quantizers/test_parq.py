"""PARQ by hand: Jin et al. 2025, the proximal map, its annealing, and its step."""

import math

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.parq import PARQQuantizer, inverse_slope


def parq(bits=3, step=0.5, frozen=True, **options):
    quantizer = PARQQuantizer(TensorSpec(bits=bits, signed=True), Layout(), **options)
    quantizer.set_qparams(torch.tensor([step]), torch.zeros(1))
    quantizer.frozen = frozen
    return quantizer


def prox(u, levels, r):
    """The proximal map, with Python's floats."""
    if u <= levels[0] or u >= levels[-1]:
        return min(max(u, levels[0]), levels[-1])
    lower = max(level for level in levels if level <= u)
    upper = levels[levels.index(lower) + 1]
    middle = (lower + upper) / 2
    return min(max(middle + (u - middle) / r, lower), upper)


@pytest.mark.parametrize("r", [1.0, 0.5, 0.1])
def test_training_computes_the_proximal_map(r):
    quantizer = parq()
    quantizer.inverse_slope.fill_(r)
    x = torch.linspace(-3, 3, 121)
    levels = [0.5 * code for code in range(-4, 4)]
    expected = [prox(v, levels, r) for v in x.tolist()]
    torch.testing.assert_close(quantizer(x), torch.tensor(expected), atol=1e-5, rtol=1e-5)


def test_it_is_the_identity_at_first_and_rounding_at_last():
    quantizer, x = parq(), torch.linspace(-1.9, 1.4, 100)
    quantizer.set_progress(0.0)
    torch.testing.assert_close(quantizer(x), x)
    quantizer.set_progress(1.0)
    assert torch.equal(quantizer(x), (x / 0.5).round() * 0.5)
    assert torch.equal(quantizer(x), quantizer.decode(quantizer.encode(x)))


def test_evaluation_rounds_at_any_time():
    quantizer, x = parq().eval(), torch.tensor([0.6, 0.8])
    assert quantizer.inverse_slope.item() == 1
    assert quantizer(x).tolist() == [0.5, 1.0]


@pytest.mark.parametrize("steepness", [1.0, 10.0])
def test_the_inverse_slope_falls_by_the_mirrored_sigmoid(steepness):
    def sigmoid(t):
        return 1 / (1 + math.exp(steepness * (t - 0.5)))

    for share in (0.0, 0.3, 0.5, 0.9):
        expected = (sigmoid(share) - sigmoid(1)) / (sigmoid(0) - sigmoid(1))
        assert inverse_slope(share, steepness) == pytest.approx(expected)
    assert inverse_slope(1.0, steepness) == inverse_slope(1.5, steepness) == 0


def test_the_end_is_a_share_of_the_training():
    quantizer = parq(end=0.5)
    quantizer.set_progress(0.25)
    assert quantizer.inverse_slope.item() == pytest.approx(0.5)
    quantizer.set_progress(0.5)
    assert quantizer.inverse_slope.item() == 0


def test_a_step_of_training_is_a_proximal_step():
    """``u - rate * gradient at prox(u)``, for the loss ``(w - 0.3)^2``."""
    quantizer, u = parq(), torch.nn.Parameter(torch.tensor([0.7, 5.0]))
    quantizer.inverse_slope.fill_(0.5)
    optimizer = torch.optim.SGD([u], lr=0.1)
    (quantizer(u) - 0.3).square().sum().backward()
    optimizer.step()
    w = [0.65, 1.5]  # 0.75 - 0.05 / 0.5, and the outermost level
    expected = [before - 0.1 * 2 * (at - 0.3) for before, at in zip([0.7, 5.0], w, strict=True)]
    assert u.tolist() == pytest.approx(expected)


def test_the_step_is_fitted_to_the_weights_in_training():
    """Codes 1, 2 and -1 at step 0.5: (0.6 + 2 * 0.9 + 0.4) / 6."""
    quantizer = parq(frozen=False).train()
    quantizer(torch.tensor([0.6, 0.9, -0.4]))
    assert quantizer.scale.item() == pytest.approx((0.6 + 1.8 + 0.4) / 6)
    before = quantizer.scale.item()
    quantizer.eval()(torch.tensor([0.6, 0.9, -0.4]))
    quantizer.train()(torch.zeros(3))
    assert quantizer.scale.item() == before


def test_a_fit_never_raises_the_error():
    x = torch.randn(1, 1000, generator=torch.Generator().manual_seed(0))
    quantizer = parq(frozen=False, step=0.9)
    errors = []
    for _ in range(5):
        quantizer.train()(x)
        errors.append((quantizer.eval()(x) - x).square().mean().item())
    assert errors == sorted(errors, reverse=True)


def test_the_inverse_slope_is_in_the_checkpoint():
    before, after = parq(), parq()
    before.set_progress(0.6)
    after.load_state_dict(before.state_dict())
    assert after.inverse_slope.item() == before.inverse_slope.item() != 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steepness": 0.0}, "steepness of parq must be above 0, at most 100, got 0"),
        ({"end": 1.5}, r"end of parq must be above 0, at most 1, got 1\.5"),
    ],
)
def test_other_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        parq(**options)
