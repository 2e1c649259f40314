"""AdaRound on a small network, against nearest rounding and against itself."""

import pytest
import torch

from qat.ptq.adaround import AdaRound
from qat.ptq.nearest import Nearest
from tests.ptq.networks import IMAGES, Residual, quantized, seeded, work_of

EFFORT = {"iterations": 40, "batch_size": 8, "learning_rate": 0.08}
SHORT = EFFORT | {"iterations": 5}


def rounded(step, placement="academic", **fields):
    qnet = quantized(seeded(Residual), bits=3, placement=placement)
    step.change(work_of(qnet, **fields))
    return qnet


@torch.no_grad()
def error(qnet):
    """Squared error of the output against the float network."""
    return float((qnet(IMAGES) - seeded(Residual)(IMAGES)).square().mean())


def states_equal(one, other):
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_loses_less_than_rounding_to_nearest(placement):
    learned, nearest = rounded(AdaRound(**EFFORT), placement), rounded(Nearest(), placement)
    assert error(learned) < 0.7 * error(nearest)


def test_each_weight_has_one_of_its_two_neighbouring_codes():
    net, qnet = quantized(seeded(Residual), bits=3), rounded(AdaRound(**EFFORT))
    for name in ("stem", "block.conv1", "block.conv2", "fc"):
        before, after = net.get_submodule(name), qnet.get_submodule(name)
        scale = before.weight_quantizer.scale.reshape(-1, *[1] * (before.weight.ndim - 1))
        steps = (after.weight - before.weight) / scale
        assert steps.abs().max() < 1
        assert (steps.abs() > 0.5).any()
        assert torch.equal(after.weight_quantizer(after.weight), after.weight)


def test_repeats_bit_for_bit_whatever_the_memory():
    one, other = rounded(AdaRound(**SHORT)), rounded(AdaRound(**SHORT), budget_bytes=8)
    assert states_equal(one, other)
    assert not states_equal(one, rounded(AdaRound(**SHORT), seed=1))


def test_an_interrupted_step_goes_on_with_the_next_layer(tmp_path):
    seen = []

    def track(text, items):
        for item in items:
            if text == "iterations" and item == 0:
                seen.append(text)
            if len(seen) == 3:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        rounded(AdaRound(**SHORT), folder=tmp_path, track=track)
    assert len(list(tmp_path.iterdir())) == 2
    resumed = rounded(AdaRound(**SHORT), folder=tmp_path)
    assert states_equal(resumed, rounded(AdaRound(**SHORT)))


def test_the_loss_is_behind_the_activation_function(monkeypatch):
    targets = []
    monkeypatch.setattr(
        "qat.ptq.adaround.squared_error",
        lambda output, target, axis: targets.append(target) or output.square().sum(),
    )
    rounded(AdaRound(iterations=1, batch_size=4))
    stem, conv1, conv2, fc = targets
    assert min(stem.min(), conv1.min()) == 0  # a ReLU follows
    assert conv2.min() < 0  # an addition follows
    assert fc.min() < 0
