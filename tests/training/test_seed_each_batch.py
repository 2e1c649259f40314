"""Random numbers of a batch, whatever was drawn before it."""

from types import SimpleNamespace

import torch

from qat.training.seed_each_batch import SeedEachBatch


def test_what_a_batch_draws_does_not_depend_on_the_batches_before():
    def drawn(epoch, batch):
        callback = SeedEachBatch(7)
        callback.on_train_batch_start(SimpleNamespace(current_epoch=epoch), None, None, batch)
        return torch.rand(3)

    first = drawn(1, 4)
    torch.rand(100)
    assert torch.equal(drawn(1, 4), first)
    assert not torch.equal(drawn(1, 5), first)
