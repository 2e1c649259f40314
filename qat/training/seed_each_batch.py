"""Random numbers of each batch that do not depend on the batches before it."""

from typing import Any

import lightning as L
import torch

from qat.core.processes import rank
from qat.training.repeatable import batch_seed


class SeedEachBatch(L.Callback):
    """Make random numbers of a batch (dropout) depend on (seed, epoch, batch, rank) alone.

    Args:
        seed: Of the training.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed torch's generators for this batch.

        Args:
            trainer: Its epoch is read.
            pl_module: Its device is read.
            batch: Not used.
            batch_idx: Number of the batch in the epoch, from 0.
        """
        seed = batch_seed(self.seed, trainer.current_epoch, batch_idx, rank())
        if pl_module.device.type == "cpu":
            # torch.manual_seed notes each seed, with a stack trace, for GPUs that are not started.
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)
