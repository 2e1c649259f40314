"""Best and last validation accuracy, also of a training that was cut off."""

import lightning as L
import pytest
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from qat.tracking.validation import BestAndLast

# Of Lightning's, about speed and about folders.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning.*")

ACCURACIES = [0.25, 0.75, 0.5, 0.625]


class Told(L.LightningModule):
    """Has the validation accuracies it is given, one an epoch."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, batch_idx):
        return self.layer(batch).sum()

    def validation_step(self, batch, batch_idx):
        self.log("val/top1", ACCURACIES[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def train(folder, epochs, *, validated=True, resume=None, purge_step=None):
    trainer = L.Trainer(
        accelerator="cpu",
        plugins=[LightningEnvironment()],
        max_epochs=epochs,
        logger=TensorBoardLogger(folder, name="tb", version="", purge_step=purge_step),
        callbacks=[BestAndLast()],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
    )
    batches = DataLoader(torch.ones(3, 1))
    trainer.fit(Told(), batches, batches if validated else None, ckpt_path=resume)
    return trainer


def curves(folder):
    events = EventAccumulator(str(folder / "tb"))
    events.Reload()
    tags = {"best/val_top1", "last/val_top1", "val/top1"} & set(events.Tags()["scalars"])
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags}


BY_HAND = {
    "val/top1": [(2, 0.25), (5, 0.75), (8, 0.5), (11, 0.625)],
    "last/val_top1": [(2, 0.25), (5, 0.75), (8, 0.5), (11, 0.625)],
    "best/val_top1": [(2, 0.25), (5, 0.75), (8, 0.75), (11, 0.75)],
}


def test_they_are_logged_beside_the_other_figures_of_an_epoch(tmp_path):
    train(tmp_path, 4)
    assert curves(tmp_path) == BY_HAND


def test_a_resumed_training_keeps_the_best_and_repeats_nothing(tmp_path):
    checkpoint = tmp_path / "last.ckpt"
    cut_off = train(tmp_path, 3)
    cut_off.save_checkpoint(checkpoint)
    train(tmp_path, 4, resume=checkpoint, purge_step=cut_off.global_step)
    assert curves(tmp_path) == BY_HAND


def test_without_a_validation_set_there_is_none(tmp_path):
    train(tmp_path, 1, validated=False)
    assert curves(tmp_path) == {}
