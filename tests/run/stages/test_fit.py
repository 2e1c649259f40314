"""The stage of quantized training; nothing is trained here."""

import pytest
import torch

from qat.records.side_files.history import HistoryWriter
from qat.run.stages.fit import fit_stage


@pytest.fixture
def trained(monkeypatch):
    """Let a training set the bias of the last layer, so that class 2 always wins."""

    def fit(prepared, qnet, teacher, folder):
        qnet.train()
        qnet.head.bias.data.copy_(torch.tensor([0.0, 0.0, 100.0]))
        return ["a line of the training"]

    monkeypatch.setattr("qat.run.training.fit_quantized", fit)


def test_modes_without_a_training_keep_their_network(make_quantized_state):
    state = make_quantized_state()
    qnet = state.qnet
    result = fit_stage(state)
    assert state.qnet is qnet
    assert (result.metrics, result.warnings) == ({}, [])


def test_the_accuracy_before_the_training_is_kept(make_quantized_state, trained):
    state = make_quantized_state("qat", scheme__placement="integer")
    labels = state.prepared.data.test.labels
    before = float((state.logits.argmax(1) == labels).float().mean())
    result = fit_stage(state)
    assert result.metrics == {"calibrated_top1": pytest.approx(before)}
    assert result.warnings == ["a line of the training"]
    assert state.results.seconds.keys() == {"calibrated_evaluation", "training"}


def test_the_trained_network_is_ready_to_be_stored(make_quantized_state, trained):
    state = make_quantized_state("qat", scheme__placement="integer")
    assert state.qnet.first.norm is not None
    fit_stage(state)
    assert state.quantized.first.norm is None
    assert not state.quantized.training
    assert state.quantized(state.prepared.images.example()).argmax(1).eq(2).all()


def test_flips_of_the_last_epoch_are_on_the_record(make_quantized_state, trained):
    state = make_quantized_state("qat")
    steps = len(state.prepared.training.batches(state.prepared.data))
    last = 10 * steps
    rows = [(last - steps, "head", "weight", "flips", 0.9)]  # of the epoch before
    rows += [(last - 1, "head", "weight", "flips", 0.1), (last, "first", "weight", "flips", 0.3)]
    rows += [(last, "head", "weight", "scale", 5.0)]
    HistoryWriter(state.folder.path / "history.csv").append(rows)
    assert steps > 1
    head, first = (getattr(state.qnet, name).weight.numel() for name in ("head", "first"))
    assert head != first
    expected = (head * 0.1 + first * 0.3) / (head + first)
    assert fit_stage(state).metrics["weight_flips"] == pytest.approx(expected)
