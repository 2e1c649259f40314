"""Train any image classifier by cross entropy."""

from collections.abc import Sequence
from typing import Any

import lightning as L
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torchmetrics.aggregation import MeanMetric

from qat.base.errors import InputError
from qat.core.accuracy import classes_before
from qat.training.optimizers import ParameterGroup, float_groups, make_optimizer
from qat.training.schedules import make_schedule
from qat.training.specs import OptimizerSpec, ScheduleSpec
from qat.training.step import TrainingStep, loss_and_logits
from qat.training.window import Window

TrainingBatch = Sequence[Any]
"""Images, labels and, if several ranks train, the weight of this rank's loss."""


class Classifier(L.LightningModule):
    """A network with its loss and its optimizer; the network may be float or quantized.

    Logs once per epoch ``train/loss`` and ``val/loss`` (mean cross entropy, nats), ``train/top1``
    and ``val/top1`` (fractions, 0 to 1, over all images of the epoch) and ``lr/GROUP``, the current
    learning rate of each parameter group.

    Args:
        net: Images ``(batch, channels, height, width)`` to logits ``(batch, classes)``.
        optimizer: Optimizer, learning rates and weight decay.
        schedule: Schedule of the learning rates; None for constant rates.
        label_smoothing: In training only, 0 to 1.

    Raises:
        ValueError: If ``label_smoothing`` is not within 0 to 1.
    """

    def __init__(
        self,
        net: nn.Module,
        optimizer: OptimizerSpec,
        schedule: ScheduleSpec | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= label_smoothing <= 1:
            raise InputError(f"label_smoothing must be 0 to 1, got {label_smoothing}")
        self.net = net
        self.optimizer, self.schedule = optimizer, schedule or ScheduleSpec()
        self.label_smoothing = label_smoothing
        self.step: TrainingStep = loss_and_logits  # or a compiled one
        self.window = Window()
        stages = ("train_loss", "train_top1", "val_loss", "val_top1")
        # A check for NaN would make each update wait for the device; fit checks the loss anyway.
        self.meters = nn.ModuleDict({name: MeanMetric(nan_strategy="disable") for name in stages})

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch, classes)``."""
        return self.net(images)  # type: ignore[no-any-return]

    def training_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Mean loss of a batch, scaled for accumulation and for several ranks.

        Args:
            batch: Images, labels and, from :class:`RankBatches`, the weight of this rank.
            batch_idx: Not used.
        """
        images, labels, *weight = batch
        loss, logits = self.loss_and_logits(images, labels)
        self._measure("train", loss.detach(), logits.detach(), labels)
        loss = self.whole_loss(loss, logits, images)
        rank_weight = weight[0] if weight else 1.0
        images = len(labels) * self.trainer.world_size / rank_weight if weight else len(labels)
        share = self.window.add(images)
        return loss if rank_weight == share == 1.0 else loss * (rank_weight * share)

    def loss_and_logits(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean cross entropy of a batch, and its logits ``(batch, classes)``.

        Args:
            images: ``(batch, channels, height, width)``.
            labels: int64 ``(batch,)``.
        """
        return self.step(self.net, images, labels, self.label_smoothing)

    def whole_loss(self, loss: Tensor, logits: Tensor, images: Tensor) -> Tensor:
        """What is minimised: here the cross entropy; a subclass adds to it.

        Args:
            loss: Mean cross entropy.
            logits: Of the batch.
            images: Of the batch.
        """
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Scale the accumulated gradients, before they are clipped."""
        parameters = (p for group in optimizer.param_groups for p in group["params"])
        self.window.close(self.trainer.accumulate_grad_batches, parameters)

    def validation_step(self, batch: TrainingBatch, batch_idx: int) -> None:
        """Measure accuracy and cross entropy, without label smoothing.

        Args:
            batch: Images and labels.
            batch_idx: Not used.
        """
        images, labels = batch
        logits = self.net(images)
        self._measure("val", F.cross_entropy(logits, labels), logits, labels)

    def parameter_groups(self) -> list[ParameterGroup]:
        """The parameter groups of the optimizer."""
        return float_groups(self.net, self.optimizer)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimizer, and a schedule that advances after each optimizer step."""
        optimizer = make_optimizer(self.parameter_groups(), self.optimizer)
        total, epochs = int(self.trainer.estimated_stepping_batches), self.trainer.max_epochs or 1
        schedule = make_schedule(
            optimizer,
            self.schedule,
            lr=self.optimizer.lr,
            steps_per_epoch=max(total // epochs, 1),
            total_steps=total,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_train_epoch_start(self) -> None:
        """Discard what an interrupted epoch has accumulated."""
        self.window.clear()
        for meter in self.meters.values():
            meter.reset()  # type: ignore[operator]

    def on_validation_epoch_end(self) -> None:
        """Log accuracy and loss of the epoch."""
        self._log("val")

    def on_train_epoch_end(self) -> None:
        """Log accuracy and loss of the epoch, and the learning rates."""
        self._log("train")
        for group in self.trainer.optimizers[0].param_groups:
            self.log(f"lr/{group['name']}", group["lr"])

    def _measure(self, stage: str, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        correct = (classes_before(logits, labels) < 1).float()
        # Expanded, not weighted: torchmetrics ignores a weight if it does not check for NaN.
        self.meters[f"{stage}_loss"].update(loss.expand(len(labels)))  # type: ignore[operator]
        self.meters[f"{stage}_top1"].update(correct)  # type: ignore[operator]

    def _log(self, stage: str) -> None:
        """Log the meters of a stage at its end: to log them in each batch would take time."""
        for name in ("loss", "top1"):
            meter: Any = self.meters[f"{stage}_{name}"]
            self.log(f"{stage}/{name}", meter, prog_bar=True)


class FloatClassifier(Classifier):
    """Trains a float network."""
