"""Best and last validation accuracy of a training, as metrics for the HPARAMS tab."""

from typing import Any

import lightning as L

from qat.tracking.tags import BEST, LAST


class BestAndLast(L.Callback):
    """Log ``best/val_top1``, the highest ``val/top1`` so far, and ``last/val_top1``.

    Both are fractions. They are logged after every epoch, at the same step as its other metrics.
    The tab shows the last value, so that it is correct during the training too. Without a
    validation set nothing is logged. A resumed training continues with the best value of its
    checkpoint.
    """

    def __init__(self) -> None:
        self.best_top1 = float("-inf")

    def state_dict(self) -> dict[str, Any]:
        """The best accuracy so far, for a resumed training."""
        return {"best_top1": self.best_top1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best accuracy so far."""
        self.best_top1 = state_dict["best_top1"]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log both values; Lightning has validated this epoch already.

        Args:
            trainer: Its metrics are read and its loggers are used.
            pl_module: Not used.
        """
        top1 = trainer.callback_metrics.get("val/top1")
        if top1 is None:
            return
        self.best_top1 = max(self.best_top1, float(top1))
        # One step back, as in Lightning: a resumed training deletes events from its first step on.
        step = trainer.global_step - 1
        for logger in trainer.loggers:
            logger.log_metrics({BEST: self.best_top1, LAST: float(top1)}, step=step)
