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

Batch = Sequence[Any]  # images, labels and, of one of several ranks, the weight of its loss


class Classifier(L.LightningModule):
    """A network, its loss and its optimizer. A quantized network is just another ``net``.

    Logs once an epoch ``train/loss``, ``train/top1``, ``val/loss``, ``val/top1`` (fractions, 0 to
    1, over all images of the epoch) and ``lr/GROUP``, the rate each parameter group has reached.

    Args:
        net: Images ``(batch, channels, height, width)`` to logits ``(batch, classes)``.
        optimizer: Rates and decay.
        schedule: Course of the rates; None for constant ones.
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
        # Looking for NaN would have each update wait for the device; fit looks for it anyway.
        self.meters = nn.ModuleDict({name: MeanMetric(nan_strategy="disable") for name in stages})

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch, classes)``."""
        return self.net(images)  # type: ignore[no-any-return]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Mean loss of a batch; of one of several ranks, weighted as :class:`RankBatches` says."""
        images, labels, *weight = batch
        loss, logits = self.step(self.net, images, labels, self.label_smoothing)
        self._measure("train", loss.detach(), logits.detach(), labels)
        of_rank = weight[0] if weight else 1.0
        images = len(labels) * self.trainer.world_size / of_rank if weight else len(labels)
        share = self.window.add(images)
        return loss if of_rank == share == 1.0 else loss * (of_rank * share)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Divide by what was accumulated; clipping comes after it."""
        parameters = (p for group in optimizer.param_groups for p in group["params"])
        self.window.close(self.trainer.accumulate_grad_batches, parameters)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Measure a batch; plain cross entropy, whatever training smooths."""
        images, labels = batch
        logits = self.net(images)
        self._measure("val", F.cross_entropy(logits, labels), logits, labels)

    def parameter_groups(self) -> list[ParameterGroup]:
        """What the optimizer is given."""
        return float_groups(self.net, self.optimizer)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimizer, and a schedule that advances with each of its steps."""
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
        """Forget what an interrupted epoch left behind."""
        self.window.clear()
        for meter in self.meters.values():
            meter.reset()  # type: ignore[operator]

    def on_train_epoch_end(self) -> None:
        """Log the rates."""
        for group in self.trainer.optimizers[0].param_groups:
            self.log(f"lr/{group['name']}", group["lr"])

    def _measure(self, stage: str, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        right = (classes_before(logits, labels) < 1).float()
        # Not by its weight argument: torchmetrics ignores that where NaN are not looked for.
        self.meters[f"{stage}_loss"].update(loss.expand(len(labels)))  # type: ignore[operator]
        self.meters[f"{stage}_top1"].update(right)  # type: ignore[operator]
        for name in ("loss", "top1"):
            meter: Any = self.meters[f"{stage}_{name}"]
            self.log(f"{stage}/{name}", meter, on_step=False, on_epoch=True, prog_bar=True)


class FloatClassifier(Classifier):
    """Trains a float network."""
