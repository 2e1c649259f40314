"""Callbacks that switch the phases of a training.

The phase depends on the epoch alone and is set again at the start of each epoch, so that a resumed
training is in the same phase.
"""

import lightning as L

from qat.convert.calibrate import freeze_observers
from qat.training.batch_norm import AnyBatchNorm


class FreezeObservers(L.Callback):
    """Fix ranges that follow the data from an epoch on; learned steps are still trained.

    Args:
        at_epoch: The first epoch, counted from 0, with fixed ranges.
    """

    def __init__(self, at_epoch: int) -> None:
        self.at_epoch = at_epoch

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Freeze the ranges, or let them follow the data.

        Args:
            trainer: Its epoch is read.
            pl_module: Its observers are switched.
        """
        freeze_observers(pl_module, frozen=trainer.current_epoch >= self.at_epoch)


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
