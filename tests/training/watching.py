"""What the tests of a whole training watch it with."""

import lightning as L
import torch

from qat.training.specs import FitSpec, OptimizerSpec, ScheduleSpec

OPTIMIZER = OptimizerSpec(lr=0.1, momentum=0.9, weight_decay=1e-4, step_lr=0.01)
COSINE = ScheduleSpec("cosine", warmup_epochs=0.5)


def spec(**values) -> FitSpec:
    return FitSpec(**{"max_epochs": 3, "accelerator": "cpu", "keep": "last", **values})


class StopError(Exception):
    """Stands for a kill."""


class At(L.Callback):
    """Do something after a batch of an epoch."""

    def __init__(self, epoch: int, batch: int, action) -> None:
        self.when, self.action = (epoch, batch), action

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.when:
            self.action(trainer)


class Record(L.Callback):
    """Keep what each epoch measured, rates included."""

    def __init__(self) -> None:
        self.metrics = {}

    def on_train_end(self, trainer, pl_module):
        self.last = {key: float(value) for key, value in trainer.callback_metrics.items()}

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch:
            self._keep(trainer)

    def _keep(self, trainer):
        values = {key: float(value) for key, value in trainer.callback_metrics.items()}
        self.metrics[trainer.current_epoch - 1] = values


def stop(trainer):
    raise StopError


def same(a, b) -> bool:
    """Equal bit for bit, at any depth."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def checkpoint(path) -> dict:
    return torch.load(path, weights_only=True)
