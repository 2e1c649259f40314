"""Random numbers of a batch, whatever was drawn before it."""

from types import SimpleNamespace

import pytest
import torch

from qat.training.seed_each_batch import SeedEachBatch


@pytest.mark.parametrize("device", ["cpu", "mps"])  # torch.manual_seed seeds the CPU in both
def test_what_a_batch_draws_does_not_depend_on_the_batches_before(device):
    def drawn(epoch, batch):
        trainer = SimpleNamespace(current_epoch=epoch)
        module = SimpleNamespace(device=torch.device(device))
        SeedEachBatch(7).on_train_batch_start(trainer, module, None, batch)
        return torch.rand(3)

    first = drawn(1, 4)
    torch.rand(100)
    assert torch.equal(drawn(1, 4), first)
    assert not torch.equal(drawn(1, 5), first)
