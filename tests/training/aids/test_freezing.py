"""Freezing of weights that oscillate, against the algorithm by hand."""

import pytest
import torch

from qat.training.aids.freezing import PARTS, FreezeOscillating
from tests.training.aids.conftest import StopError, stop_after, train


def begun(codes):
    freezing = FreezeOscillating(momentum=0.5)
    freezing._begin("layer", torch.tensor(codes))
    return freezing


def part(freezing, name):
    return freezing.state[f"layer/{name}"].tolist()


def test_a_change_back_is_an_oscillation_and_a_walk_is_none():
    freezing = begun([0.0, 0.0])
    for codes in ([1.0, 1.0], [0.0, 2.0], [1.0, 3.0]):
        freezing.follow("layer", torch.tensor(codes), threshold=0.6)
    # The first weight turned twice: 0 -> 0.5 -> 0.75; the second only walked up.
    assert part(freezing, "frequency") == [0.75, 0.0]
    assert part(freezing, "frozen") == [True, False]
    # Averages of codes: 0 -> 0.5 -> 0.25 -> 0.625, and 0 -> 0.5 -> 1.25 -> 2.125.
    assert part(freezing, "mean") == [0.625, 2.125]


def test_a_frozen_weight_keeps_its_mean():
    freezing = begun([0.0])
    freezing.state["layer/frozen"] = torch.tensor([True])
    freezing.follow("layer", torch.tensor([5.0]), threshold=1.0)
    assert part(freezing, "mean") == [0.0]
    assert freezing.frozen_share() == 1.0


def test_frozen_weights_do_not_move_in_a_training(tmp_path):
    freezing = FreezeOscillating(first=1e-9, last=1e-9, momentum=0.5)
    net = train(tmp_path, freezing, lr=0.5)
    assert freezing.frozen_share() > 0
    for name in ("0", "3", "7"):
        twin = net.get_submodule(name)
        frozen, mean = (freezing.state[f"{name}/{part}"] for part in ("frozen", "mean"))
        codes = twin.weight_quantizer.encode(twin.weight)
        assert torch.equal(codes[frozen], mean[frozen].round().to(codes.dtype))


def test_a_stopped_training_continues_to_the_same_state(tmp_path):
    ours, whole = FreezeOscillating(0.05), FreezeOscillating(0.05)
    train(tmp_path / "whole", whole, lr=0.1)
    with pytest.raises(StopError):
        train(tmp_path / "parts", FreezeOscillating(0.05), stop_after(1), lr=0.1)
    train(tmp_path / "parts", ours, lr=0.1)
    assert whole.state.keys() == ours.state.keys()
    assert {key.rpartition("/")[2] for key in ours.state} == set(PARTS)
    assert all(torch.equal(whole.state[key], ours.state[key]) for key in ours.state)
