"""Callbacks that switch the phases of a training.

The phase depends on the epoch or the optimizer step alone, and is set again at the start of each,
so that a resumed training is in the same phase.
"""

from typing import Any

import lightning as L

from qat.convert.calibrate import freeze_observers, set_progress
from qat.layers.walk import quantizers
from qat.quantizers.base import Quantizer
from qat.training.batch_norm import AnyBatchNorm


class FreezeObservers(L.Callback):
    """Fix ranges that follow the data from an epoch on; learned steps are still trained.

    Ranges that are fixed when the training begins, such as those of codes that a post-training step
    chose, stay fixed in all epochs.

    Args:
        at_epoch: The first epoch, counted from 0, with fixed ranges.
    """

    def __init__(self, at_epoch: int) -> None:
        self.at_epoch = at_epoch
        self._held: frozenset[Quantizer] | None = None

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Freeze the ranges, or let them follow the data.

        Args:
            trainer: Its epoch is read.
            pl_module: Its observers are switched.
        """
        if self._held is None:
            self._held = frozenset(q for _, _, q in quantizers(pl_module) if q.frozen)
        freeze_observers(pl_module, trainer.current_epoch >= self.at_epoch, self._held)


class FreezeBatchNorm(L.Callback):
    """Normalise by the running statistics and fix them from an epoch on.

    Scale and shift of batch norm are still trained.

    Args:
        at_epoch: The first epoch, counted from 0, with fixed statistics.
    """

    def __init__(self, at_epoch: int) -> None:
        self.at_epoch = at_epoch

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Switch batch norm to evaluation mode, from its epoch on.

        Args:
            trainer: Its epoch is read.
            pl_module: Its batch norms are switched.
        """
        if trainer.current_epoch >= self.at_epoch:
            for module in pl_module.modules():
                if isinstance(module, AnyBatchNorm):
                    module.eval()


class FollowProgress(L.Callback):
    """Tell quantizers which share of the optimizer steps is done, before each step."""

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the share, from the number of the step.

        Args:
            trainer: Its steps are read.
            pl_module: Its quantizers are set.
            batch: Not used.
            batch_idx: Not used.
        """
        share = trainer.global_step / max(int(trainer.estimated_stepping_batches), 1)
        set_progress(pl_module, min(share, 1.0))
