"""The bar of a training."""

from types import SimpleNamespace

import pytest
import torch

from qat.base import progress
from qat.run.training_progress import TrainingProgress


class Screen:
    """Keeps what is drawn."""

    moves = True

    def __init__(self):
        self.bars, self.notes = [], []

    def push(self, description, total, completed):
        self.bars.append((description, total, completed))
        return SimpleNamespace(advance=self.notes.append)

    def pop(self, bar):
        self.bars.append("removed")


@pytest.fixture
def screen(monkeypatch):
    drawn = Screen()
    monkeypatch.setattr(progress._ProcessScreen, "screen", drawn)
    return drawn


def trainer(epoch, **metrics):
    return SimpleNamespace(
        num_training_batches=4, max_epochs=3, current_epoch=epoch, callback_metrics=metrics
    )


def test_a_resumed_training_starts_at_its_first_step(screen):
    callback = TrainingProgress("float training")
    callback.on_train_start(trainer(1), None)
    callback.on_train_batch_end(trainer(1))
    callback.on_train_batch_end(trainer(2, **{"val/top1": torch.tensor(0.5)}))
    callback.on_train_end(trainer(2), None)
    assert screen.bars == [("float training", 12, 4), "removed"]
    assert screen.notes == ["epoch 2/3", "epoch 3/3, top-1 50.0 %"]


def test_an_error_removes_the_bar(screen):
    callback = TrainingProgress("float training")
    callback.on_train_start(trainer(0), None)
    callback.on_exception(trainer(0), None, ValueError())
    assert screen.bars == [("float training", 12, 0), "removed"]
    callback.on_train_batch_end(trainer(0))  # nothing is drawn any more
    assert screen.notes == []
