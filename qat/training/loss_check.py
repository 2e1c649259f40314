"""Stop a training whose loss is no number any more."""

from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from qat.core.processes import total, world_size
from qat.training.errors import TrainingError

_CURE = (
    "lower optimizer.lr or optimizer.step_lr, warm up (schedule.warmup_epochs), "
    "or set trainer.gradient_clip_val"
)
_INTERVAL = 50  # batches: asking a GPU after each one would stall it


class StopOnNonFinite(L.Callback):
    """Raise TrainingError when a loss is NaN or infinite, naming epoch and batch (from 0).

    On a CPU every batch is looked at, on other devices fifty at a time and at the epoch's end. No
    checkpoint is written of an epoch that failed.
    """

    def __init__(self) -> None:
        self._losses: list[Tensor] = []

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget what an interrupted epoch left behind."""
        self._losses.clear()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Take in a loss; look at those that have come together."""
        # Of all ranks, so that all find the same and none is left waiting for the others.
        self._losses.append(total(outputs["loss"].detach()) / world_size())
        on_cpu = outputs["loss"].device.type == "cpu"
        if on_cpu or len(self._losses) >= _INTERVAL:
            if on_cpu and not bool(outputs["loss"].isfinite()):
                check_images(batch[0], _place(trainer.current_epoch, batch_idx))
            self._check(trainer.current_epoch, batch_idx)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look at the rest."""
        if self._losses:
            self._check(trainer.current_epoch, int(trainer.num_training_batches) - 1)

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look at the validation loss, of weights that the last step may have spoilt."""
        loss = trainer.callback_metrics.get("val/loss")
        if loss is not None and not bool(loss.isfinite()):
            raise TrainingError(
                f"validation loss is {float(loss)} after epoch {trainer.current_epoch}: {_CURE}"
            )

    def _check(self, epoch: int, last_batch: int) -> None:
        losses, self._losses = torch.stack(self._losses), []
        bad = (~losses.isfinite()).nonzero()
        if len(bad):
            first = int(bad[0])
            batch = last_batch - len(losses) + 1 + first
            raise TrainingError(
                f"training loss is {float(losses[first])} in {_place(epoch, batch)}: {_CURE}"
            )


def check_images(images: Tensor, place: str) -> None:
    """Raise TrainingError if images hold NaN or infinity: then no rate is to blame."""
    if not bool(images.isfinite().all()):
        raise TrainingError(f"images of {place} hold NaN or infinity: repair the data")


def check_weights(net: nn.Module) -> None:
    """Raise TrainingError if a trained tensor holds NaN or infinity."""
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise TrainingError(f"training left NaN or infinity in {name}: {_CURE}")


def _place(epoch: int, batch: int) -> str:
    return f"epoch {epoch}, batch {batch} (counted from 0)"
