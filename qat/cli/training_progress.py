"""Progress of a training, as a callback of Lightning's."""

from typing import Any

import lightning as L
from rich.progress import Progress, TaskID

from qat.cli.progress import progress_bar


class TrainingProgress(L.Callback):
    """One bar over the steps of a whole training, with its epoch and latest figures."""

    def __init__(self, description: str) -> None:
        self.description = description
        self.bar: Progress | None = None
        self.task = TaskID(0)

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Show the bar, where a resumed training left it."""
        self.bar = progress_bar()
        self.bar.start()
        steps = int(trainer.num_training_batches)
        total, done = steps * (trainer.max_epochs or 1), steps * trainer.current_epoch
        self.task = self.bar.add_task(self.description, total=total, completed=done, note="")

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """One step further."""
        if self.bar is not None:
            metrics = trainer.callback_metrics
            figures = [f"{k} {float(metrics[k]):.3f}" for k in ("val/top1",) if k in metrics]
            epoch = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
            self.bar.update(self.task, advance=1, note="  ".join([epoch, *figures]))

    def on_train_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Take the bar away."""
        self._stop()

    def on_exception(
        self, trainer: L.Trainer, module: L.LightningModule, error: BaseException
    ) -> None:
        """Take the bar away, so that the error is seen."""
        self._stop()

    def _stop(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
