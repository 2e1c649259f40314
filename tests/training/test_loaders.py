"""Batches of an epoch and of a rank, by lists."""

import pickle
from types import SimpleNamespace

import pytest
import torch

from qat.training.loaders import CurrentEpoch, DealtBatches, EpochBatches, RankBatches, Wrapped


def test_the_epoch_is_read_when_the_first_batch_is():
    """Lightning makes the iterator of a resumed training before it restores the epoch."""
    trainer = SimpleNamespace(current_epoch=0)
    batches = EpochBatches(lambda epoch: [f"{epoch}a", f"{epoch}b"], CurrentEpoch(trainer))
    iterator = iter(batches)
    trainer.current_epoch = 3
    assert (list(iterator), len(batches)) == (["3a", "3b"], 2)


def test_wrapped_batches_are_the_same_every_epoch_and_in_another_process():
    wrapped = pickle.loads(pickle.dumps(Wrapped(["a", "b"])))
    assert (list(wrapped), list(wrapped), len(wrapped)) == (["a", "b"], ["a", "b"], 2)


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="there are no batches to train or validate on"):
        Wrapped([])


@pytest.fixture
def second_of_two(monkeypatch):
    monkeypatch.setattr("qat.training.loaders.rank", lambda: 1)
    monkeypatch.setattr("qat.training.loaders.world_size", lambda: 2)


def test_every_other_image_weighted_by_its_share(second_of_two):
    images, labels = torch.arange(5), torch.arange(5) + 10
    ((own, own_labels, weight),) = RankBatches([(images, labels)])
    assert (own.tolist(), own_labels.tolist(), weight) == ([1, 3], [11, 13], 4 / 5)


def test_a_batch_of_fewer_images_than_ranks_is_refused(second_of_two):
    with pytest.raises(ValueError, match=r"a batch of 1 image cannot be shared .*devices=2"):
        list(RankBatches([(torch.zeros(1), torch.zeros(1))]))


@pytest.mark.parametrize(
    ("batches", "own"),
    [
        pytest.param(["a", "b", "c"], ["b"], id="whole batches are dealt"),
        pytest.param(["a"], ["a"], id="of too few each rank sees all"),
    ],
)
def test_validation_batches_of_a_rank(second_of_two, batches, own):
    dealt = DealtBatches(batches)
    assert (list(dealt), len(dealt)) == (own, len(own))
