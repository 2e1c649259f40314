"""Best and last validation accuracy of a training, as metrics of its row of the HPARAMS tab."""

from typing import Any

import lightning as L

BEST, LAST = "best/val_top1", "last/val_top1"


class BestAndLast(L.Callback):
    """Log ``best/val_top1``, the highest ``val/top1`` so far, and ``last/val_top1``.

    Both are fractions, logged after every epoch at the step of its other figures: the tab shows
    their last value, so that it is right while the run trains as well. Nothing is logged without a
    validation set. A resumed training goes on from the best of its checkpoint.
    """

    def __init__(self) -> None:
        self.best_top1 = float("-inf")

    def state_dict(self) -> dict[str, Any]:
        """What a resumed training compares with."""
        return {"best_top1": self.best_top1}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it up again."""
        self.best_top1 = state_dict["best_top1"]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log; validation of this epoch is over by now."""
        top1 = trainer.callback_metrics.get("val/top1")
        if top1 is None:
            return
        self.best_top1 = max(self.best_top1, float(top1))
        # One step back, as Lightning's own: a resumed training purges from its checkpoint's step.
        step = trainer.global_step - 1
        for logger in trainer.loggers:
            logger.log_metrics({BEST: self.best_top1, LAST: float(top1)}, step=step)
