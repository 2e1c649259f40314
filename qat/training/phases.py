"""Callbacks that only switch phases.

What they switch is a function of the epoch alone, set again as each epoch starts: a training that
was killed and goes on finds it as it was.
"""

import lightning as L
from torch import nn

from qat.convert.calibrate import freeze_observers

_BatchNorm = nn.modules.batchnorm._BatchNorm  # of one to three dimensions, and synchronised


class FreezeObservers(L.Callback):
    """Hold ranges that follow the data from the start of an epoch on; learned steps learn on.

    Args:
        at_epoch: The first epoch, counted from 0, with fixed ranges.
    """

    def __init__(self, at_epoch: int) -> None:
        self.at_epoch = at_epoch

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Freeze, or let go."""
        freeze_observers(pl_module, frozen=trainer.current_epoch >= self.at_epoch)


class FreezeBatchNorm(L.Callback):
    """Normalise by the running statistics, and keep them, from the start of an epoch on.

    Scale and shift of batch norm learn on.

    Args:
        at_epoch: The first epoch, counted from 0, with fixed statistics.
    """

    def __init__(self, at_epoch: int) -> None:
        self.at_epoch = at_epoch

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Switch batch norm to evaluation mode."""
        if trainer.current_epoch >= self.at_epoch:
            for module in pl_module.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
