"""Training at falling widths, on a network of a few weights."""

import pytest
import torch

from qat.layers.walk import quantizer_keys, quantizers
from qat.records.file_names import CHECKPOINTS
from qat.run import progressive
from qat.run.progressive import copy_weights, train_wider_first


@pytest.fixture
def make_w2a2(make_quantized_state):
    def make(widths, **changes):
        return make_quantized_state(
            "qat",
            scheme__weight__bits=2,
            scheme__act__bits=2,
            aids__progressive_bits=widths,
            **changes,
        )

    return make


def weights(net):
    own = quantizer_keys(net)
    return {k: v.clone() for k, v in net.state_dict().items() if not k.startswith(own)}


def widths(net):
    return {q.grid.bits for _, _, q in quantizers(net)}


@pytest.fixture
def trainings(monkeypatch):
    """Instead of a training: add 1 to every bias, and note widths, folder and first bias."""
    calls = []

    def fit(prepared, qnet, teacher, folder, bits):
        calls.append((bits, widths(qnet), folder.name, qnet.head.bias.detach().clone()))
        qnet.head.bias.data += 1.0
        return [f"a line at {bits} bits"]

    monkeypatch.setattr(progressive, "fit_quantized", fit)
    return calls


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_each_width_starts_from_the_weights_of_the_wider_one(make_w2a2, trainings, placement):
    state = make_w2a2([4, 3], scheme__placement=placement, scheme__first_last="same")
    start = state.net.head.bias.detach().clone()
    assert train_wider_first(state) == ["a line at 4 bits", "a line at 3 bits"]
    assert [(bits, own, name) for bits, own, name, _ in trainings] == [
        (4, {4}, "bits4"),
        (3, {3}, "bits3"),
    ]
    torch.testing.assert_close(trainings[0][3], start)
    torch.testing.assert_close(trainings[1][3], start + 1)
    torch.testing.assert_close(state.quantized.head.bias, start + 2)
    assert widths(state.quantized) == {2}
    assert all(q.calibrated for _, _, q in quantizers(state.quantized))


def test_without_widths_nothing_changes(make_w2a2, trainings):
    state = make_w2a2([])
    before = weights(state.quantized)
    assert train_wider_first(state) == []
    assert trainings == []
    assert all(torch.equal(value, before[k]) for k, value in weights(state.quantized).items())


def test_ranges_follow_the_new_weights(make_w2a2, monkeypatch):
    def fit(prepared, qnet, teacher, folder, bits):
        qnet.head.weight.data *= 10.0
        return []

    monkeypatch.setattr(progressive, "fit_quantized", fit)
    state = make_w2a2([4])
    before = state.quantized.head.weight_quantizer.qparams().scale.clone()
    train_wider_first(state)
    after = state.quantized.head.weight_quantizer.qparams().scale
    torch.testing.assert_close(after, 10 * before)


def test_a_width_that_is_trained_is_only_loaded(make_w2a2, monkeypatch):
    def trained():
        state = make_w2a2([4, 3])
        train_wider_first(state)
        return state, weights(state.quantized)

    state, first = trained()
    folder = state.folder.path / CHECKPOINTS
    assert sorted(path.name for path in folder.iterdir()) == ["bits3", "bits4"]
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.ckpt")}
    again, second = trained()
    assert again.folder.path == state.folder.path
    assert times == {path: path.stat().st_mtime_ns for path in folder.rglob("*.ckpt")}
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[key]) for key, value in first.items())
    moved = [not torch.equal(v, dict(state.net.state_dict()).get(k, v)) for k, v in first.items()]
    assert any(moved)


def test_weights_are_copied_and_quantizers_are_not(make_w2a2):
    state, other = make_w2a2([]), make_w2a2([])
    source, target = other.quantized, state.quantized
    with torch.no_grad():
        for value in source.state_dict().values():
            if value.is_floating_point():
                value += 1.0
    before = {k: v.clone() for k, v in target.state_dict().items()}
    copy_weights(source, target)
    own = quantizer_keys(target)
    for key, value in target.state_dict().items():
        expected = before if key.startswith(own) else source.state_dict()
        assert torch.equal(value, expected[key]), key
