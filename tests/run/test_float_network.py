"""The float network of a run: a checkpoint, or trained and kept."""

import pytest
import torch

from qat.base.reading import file_digest
from qat.models.checkpoint import save_checkpoint
from qat.run.float_network import FloatNetwork, float_logits, float_network
from tests.run.networks import Small


def test_a_checkpoint_is_loaded(make_prepared, tmp_path):
    net, path = Small(3, 3, 8), tmp_path / "net.safetensors"
    save_checkpoint(net, path, ((0.5,) * 3, (0.25,) * 3))
    source = float_network(make_prepared(model__checkpoint=str(path)))
    assert source.digest == file_digest(path)
    assert torch.equal(source.net.head.weight, net.head.weight)


def test_a_network_is_trained_once_and_kept(make_prepared, monkeypatch):
    trained = []

    def fit(request, data, net, folder):
        trained.append(folder)
        folder.mkdir(parents=True)
        torch.nn.init.constant_(net.head.bias, 7)

    monkeypatch.setattr("qat.run.training.fit_float", fit)
    prepared = make_prepared()
    first, second = float_network(prepared), float_network(prepared)
    assert len(trained) == 1
    assert not trained[0].exists()  # checkpoints of a training that has ended
    assert first.digest == second.digest
    assert second.net.head.bias.tolist() == [7, 7, 7]


def test_logits_are_computed_once_for_each_digest(make_prepared, make_source):
    prepared = make_prepared()
    source, images = make_source(prepared), prepared.data.preprocess(prepared.data.test.images)
    with torch.no_grad():
        expected = source.net(images)
    logits = float_logits(prepared, source)
    torch.testing.assert_close(logits, expected)
    torch.nn.init.zeros_(source.net.head.weight)
    assert torch.equal(float_logits(prepared, source), logits)
    other = float_logits(prepared, FloatNetwork(source.net, "another digest"))
    assert other.std(dim=0).max() == pytest.approx(0)
