"""A progress bar of a training, as a callback of Lightning."""

from contextlib import ExitStack
from typing import Any

import lightning as L

from qat.base.progress import Bar, bar


class TrainingProgress(L.Callback):
    """One bar over the steps of a whole training, with its epoch and latest accuracy.

    Args:
        description: Text of the bar.
    """

    def __init__(self, description: str) -> None:
        self.description = description
        self._open = ExitStack()
        self._bar: Bar | None = None

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Show the bar; a resumed training starts at its first step.

        Args:
            trainer: Lightning's trainer, with its epochs and batches.
            module: The network that is trained.
        """
        steps = int(trainer.num_training_batches)
        total, done = steps * (trainer.max_epochs or 1), steps * trainer.current_epoch
        self._bar = self._open.enter_context(bar(self.description, total, done))

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Advance the bar by one step."""
        if self._bar is None:
            return
        note = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        if "val/top1" in trainer.callback_metrics:
            note += f", top-1 {100 * float(trainer.callback_metrics['val/top1']):.1f} %"
        self._bar.advance(note)

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Remove the bar.

        Args:
            trainer: Lightning's trainer.
            module: The network that is trained.
        """
        self._stop()

    def on_exception(
        self, trainer: L.Trainer, module: L.LightningModule, error: BaseException
    ) -> None:
        """Remove the bar, so that it does not hide the error.

        Args:
            trainer: Lightning's trainer.
            module: The network that is trained.
            error: The error that ends the training.
        """
        self._stop()

    def _stop(self) -> None:
        self._bar = None
        self._open.close()
