"""Stop a training whose loss is NaN or infinite."""

import math
from contextlib import ExitStack
from typing import Any, NoReturn

import lightning as L
import torch
from torch import Tensor, nn

from qat.core.checks import Pending, is_immediate
from qat.core.processes import total, world_size
from qat.training.errors import TrainingError

_CURE = (
    "lower optimizer.lr or optimizer.step_lr, warm up (schedule.warmup_epochs), "
    "or set trainer.gradient_clip_val"
)
_INTERVAL = 50  # batches: a check after each one would stall a GPU


class StopOnNonFinite(L.Callback):
    """Raise TrainingError if a loss is NaN or infinite, with epoch and batch (from 0).

    On a CPU every batch is checked, on other devices fifty together and at the end of the epoch:
    losses, images, and the checks of quantizers (:mod:`qat.core.checks`). No checkpoint is written
    after an epoch that failed.
    """

    def __init__(self) -> None:
        self._losses: list[Tensor] = []
        self._images: list[Tensor] = []  # whether those of each batch are finite; not on a CPU
        self._pending, self._collection = Pending(), ExitStack()

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Collect the checks of quantizers.

        Args:
            trainer: Not used.
            pl_module: Not used.
        """
        self._collection.enter_context(self._pending.collecting())

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """End the collection.

        Args:
            trainer: Not used.
            pl_module: Not used.
        """
        self._collection.close()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """End the collection.

        Args:
            trainer: Not used.
            pl_module: Not used.
            exception: Not used.
        """
        self._collection.close()

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Discard the losses of an interrupted epoch.

        Args:
            trainer: Not used.
            pl_module: Not used.
        """
        self._losses.clear()
        self._images.clear()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Collect the loss; check the collected ones if it is time.

        Args:
            trainer: Its epoch is read.
            pl_module: Not used.
            outputs: With the ``loss`` of the batch.
            batch: Its images are the cause if they are not finite.
            batch_idx: Number of the batch in the epoch, from 0.

        Raises:
            TrainingError: If a loss or an image is NaN or infinite.
        """
        # The mean over ranks, so that all ranks raise together and none waits for the others.
        self._losses.append(total(outputs["loss"].detach()) / world_size())
        on_cpu = is_immediate(outputs["loss"].device)
        if not on_cpu:
            self._images.append(batch[0].isfinite().all())
        if on_cpu or len(self._losses) >= _INTERVAL:
            if on_cpu and not bool(outputs["loss"].isfinite()):
                check_images(batch[0], _place(trainer.current_epoch, batch_idx))
            self._check(trainer.current_epoch, batch_idx)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Check the losses that are not checked yet.

        Args:
            trainer: Its epoch and its number of batches are read.
            pl_module: Not used.

        Raises:
            TrainingError: If a loss is NaN or infinite.
        """
        self._check_rest(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Check the validation loss: the last step may have broken the weights.

        Args:
            trainer: Its metrics and its epoch are read.
            pl_module: Not used.

        Raises:
            TrainingError: If the validation loss is NaN or infinite.
        """
        self._check_rest(trainer)  # a loss of the training is the earlier sign, and names its batch
        loss = trainer.callback_metrics.get("val/loss")
        if loss is not None and not bool(loss.isfinite()):
            raise TrainingError(
                f"validation loss is {float(loss)} after epoch {trainer.current_epoch}: {_CURE}"
            )

    def _check_rest(self, trainer: L.Trainer) -> None:
        if self._losses:
            self._check(trainer.current_epoch, int(trainer.num_training_batches) - 1)

    def _check(self, epoch: int, last_batch: int) -> None:
        losses, self._losses = torch.stack(self._losses).tolist(), []
        images, self._images = self._images, []
        for index, loss in enumerate(losses):
            if math.isfinite(loss):
                continue
            place = _place(epoch, last_batch - len(losses) + 1 + index)
            if images and not bool(images[index]):
                _refuse_images(place)
            raise TrainingError(f"training loss is {loss} in {place}: {_CURE}")
        self._pending.read()


def check_images(images: Tensor, place: str) -> None:
    """Check that images are finite; if they are not, the learning rate is not the cause.

    Args:
        images: Of one batch.
        place: Epoch and batch, for the message.

    Raises:
        TrainingError: If images hold NaN or infinity.
    """
    if not bool(images.isfinite().all()):
        _refuse_images(place)


def _refuse_images(place: str) -> NoReturn:
    raise TrainingError(f"images of {place} hold NaN or infinity: repair the data")


def check_weights(net: nn.Module) -> None:
    """Check that all floating-point tensors of a trained network are finite.

    Raises:
        TrainingError: If a tensor holds NaN or infinity; the message names it.
    """
    for name, tensor in net.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise TrainingError(f"training left NaN or infinity in {name}: {_CURE}")


def _place(epoch: int, batch: int) -> str:
    return f"epoch {epoch}, batch {batch} (counted from 0)"
