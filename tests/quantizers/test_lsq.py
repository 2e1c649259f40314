"""LSQ by hand: Esser et al. 2020, Eq. 1 to 5 and section 2."""

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.lsq import LSQQuantizer


def lsq(bits=3, signed=True, layout=None, granularity="tensor", start="mse", **settings):
    spec = TensorSpec(bits=bits, signed=signed, granularity=granularity, **settings)
    quantizer = LSQQuantizer(spec, layout or Layout(), start=start)
    quantizer.set_qparams(torch.ones(quantizer.layout.shape), torch.zeros(quantizer.layout.shape))
    return quantizer


@pytest.mark.parametrize(
    ("value", "step_gradient", "value_gradient"),
    [
        pytest.param(0.6, 0.4, 1, id="inside: round(0.6) - 0.6"),
        pytest.param(-1.2, 0.2, 1, id="inside: round(-1.2) + 1.2"),
        pytest.param(9.0, 3.0, 0, id="above: qmax"),
        pytest.param(-9.0, -4.0, 0, id="below: qmin"),
    ],
)
def test_gradients_follow_eq_3_and_5(value, step_gradient, value_gradient):
    """Codes -4..3, step 1; the gradient scale is 1 / sqrt(1 * 3)."""
    quantizer, x = lsq(), torch.tensor([value], requires_grad=True)
    quantizer(x).backward()
    assert quantizer.step.grad.item() == pytest.approx(step_gradient / 3**0.5)
    assert x.grad.item() == value_gradient


def test_forward_follows_eq_1_and_2():
    quantizer = lsq()
    quantizer.set_qparams(torch.tensor([0.5]), torch.zeros(1))
    x = torch.tensor([0.2, 0.3, -0.8, 5.0, -5.0])
    assert quantizer(x).tolist() == [0.0, 0.5, -1.0, 1.5, -2.0]


def step_gradient(quantizer, x):
    quantizer(x).sum().backward()
    return quantizer.step.grad


def test_the_gradient_scale_counts_all_elements_of_a_weight():
    x = torch.full((2, 5, 3, 3), 0.6)
    whole = step_gradient(lsq(layout=Layout.of_weight("tensor", (2, 5, 3, 3))), x)
    assert whole.item() == pytest.approx(90 * 0.4 / (90 * 3) ** 0.5)
    layout = Layout.of_weight("channel", (2, 5, 3, 3))
    each = step_gradient(lsq(layout=layout, granularity="channel"), x)
    assert each.tolist() == pytest.approx([45 * 0.4 / (45 * 3) ** 0.5] * 2)


def test_the_gradient_scale_of_a_group_counts_its_own_elements():
    layout = Layout.of_weight("group", (2, 6), 3)
    quantizer = lsq(layout=layout, granularity="group", group_size=3)
    found = step_gradient(quantizer, torch.full((2, 6), 0.6))
    torch.testing.assert_close(found, torch.full((2, 2), 3 * 0.4 / (3 * 3) ** 0.5))


@pytest.mark.parametrize("batch", [1, 4])
def test_the_gradient_scale_of_an_activation_leaves_the_batch_out(batch):
    x = torch.full((batch, 5, 3, 3), 0.6)
    found = step_gradient(lsq(), x).item()
    assert found == pytest.approx(batch * 45 * 0.4 / (45 * 3) ** 0.5)


@pytest.mark.parametrize(("bits", "signed", "qmax"), [(3, True, 3), (4, True, 7), (4, False, 15)])
def test_the_papers_start(bits, signed, qmax):
    quantizer = lsq(bits, signed, start="paper")
    x = torch.randn(1, 1000, generator=torch.Generator().manual_seed(0)).abs()
    quantizer.set_phase("observe")
    quantizer(x)
    quantizer.set_phase("quantize")
    assert quantizer.step.item() == pytest.approx(2 * x.mean().item() / qmax**0.5, rel=1e-6)


def test_the_papers_start_is_wider_than_the_mse_start_by_the_known_factor():
    """On normal values 1.53 times at 3 bits and 1.78 at 4."""
    x = torch.randn(1, 300_000, generator=torch.Generator().manual_seed(0))
    for bits, factor in ((3, 1.53), (4, 1.78)):
        steps = []
        for start in ("paper", "mse"):
            quantizer = lsq(bits, start=start, narrow=True)
            quantizer.set_phase("observe")
            quantizer(x)
            quantizer.set_phase("quantize")
            steps.append(quantizer.step.item())
        assert steps[0] / steps[1] == pytest.approx(factor, rel=0.08)


def test_the_observers_start_is_its_range():
    quantizer = lsq(start="observer", observer=Method("minmax"))
    quantizer.set_phase("observe")
    quantizer(torch.tensor([[-2.0, 6.0]]))
    quantizer.set_phase("quantize")
    assert quantizer.step.item() == 2.0


def test_a_step_through_zero_goes_on_as_a_positive_one():
    quantizer = lsq()
    with torch.no_grad():
        quantizer.step.fill_(-0.5)
    x = torch.tensor([0.6], requires_grad=True)
    assert quantizer(x).item() == 0.5
    assert quantizer.qparams().scale.item() == 0.5


def test_the_step_is_learned_in_place():
    quantizer = lsq()
    held = quantizer.step
    quantizer.set_range(-1.0, 1.0)
    assert quantizer.step is held
    assert list(quantizer.parameters()) == [held]
    assert quantizer.learns


def test_learning_finds_a_better_step():
    x = torch.randn(1, 4000, generator=torch.Generator().manual_seed(1))
    quantizer = lsq(bits=3)
    optimizer = torch.optim.SGD(quantizer.parameters(), lr=5.0)
    errors = []
    for _ in range(150):
        optimizer.zero_grad()
        error = (quantizer(x) - x).square().mean()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.9 * errors[0]
    assert quantizer.step.item() == pytest.approx(0.6018, rel=0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"symmetric": False}, "learns a step and no zero point"),
        ({"scale": "power_of_two"}, "learns a free step"),
        ({"start": "zero"}, "start of lsq must be one of paper, mse, observer"),
        ({"observer": Method("ema")}, "would ignore the observer 'ema'"),
    ],
)
def test_what_it_cannot_do_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        lsq(**settings)
