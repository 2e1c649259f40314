"""What BRECQ and QDrop share, seen in a method without weights of errors and without dropping."""

import pytest
import torch

from qat.ptq.block_reconstruction import BlockReconstruction
from tests.ptq.networks import Residual, quantized, seeded, work_of
from tests.ptq.test_adaround import EFFORT, SHORT, error, states_equal


def reconstructed(step, placement="academic", **fields):
    qnet = quantized(seeded(Residual), bits=3, act_bits=3, placement=placement)
    step.change(work_of(qnet, **fields))
    return qnet


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_loses_less_than_calibration(placement):
    calibrated = quantized(seeded(Residual), bits=3, act_bits=3, placement=placement)
    learned = reconstructed(BlockReconstruction(**EFFORT, step_learning_rate=1e-3), placement)
    assert error(learned) < 0.8 * error(calibrated)


def test_steps_of_activations_are_learned():
    calibrated = quantized(seeded(Residual), bits=3, act_bits=3)
    learned = reconstructed(BlockReconstruction(iterations=3, step_learning_rate=1e-3))
    for name in ("stem", "block.conv1", "block.conv2", "fc"):
        before, after = (net.get_submodule(name).input_quantizer for net in (calibrated, learned))
        moved = (after.scale - before.scale).abs().item()
        assert 0 < moved < 3.1e-3, name  # three steps of Adam


def test_repeats_bit_for_bit_whatever_the_memory():
    step = BlockReconstruction(**SHORT)
    assert states_equal(reconstructed(step), reconstructed(step, budget_bytes=8))


def test_a_resumed_step_repeats_no_finished_block(tmp_path):
    first = reconstructed(BlockReconstruction(**SHORT), folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    shown = []

    def track(text, items):
        shown.append(text)
        return items

    again = reconstructed(BlockReconstruction(**SHORT), folder=tmp_path, track=track)
    assert "iterations" not in shown
    assert states_equal(first, again)


def test_the_whole_block_is_learned_for_its_output(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "qat.ptq.block_reconstruction.reconstruct",
        lambda loss, roundings, *_: seen.append((len(roundings), loss(torch.arange(4), 0))),
    )
    qnet = quantized(seeded(Residual), bits=3, act_bits=32)
    BlockReconstruction(iterations=1).change(work_of(qnet))
    assert [count for count, _ in seen] == [1, 2, 1]
    assert all(loss.ndim == 0 for _, loss in seen)
