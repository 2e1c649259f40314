"""The first loss that is no finite number, by epoch and batch."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from qat.core import checks
from qat.training import loss_check
from qat.training.errors import TrainingError
from qat.training.loss_check import StopOnNonFinite, check_images, check_weights

GOOD = torch.ones(2)


def trainer(**metrics):
    metrics = {key.replace("_", "/"): torch.tensor(value) for key, value in metrics.items()}
    return SimpleNamespace(current_epoch=4, num_training_batches=3, callback_metrics=metrics)


def end_batch(check, loss, index, images=GOOD):
    check.on_train_batch_end(trainer(), None, {"loss": torch.tensor(loss)}, (images, GOOD), index)


def test_the_batch_is_named_with_a_cure():
    check = StopOnNonFinite()
    check.on_train_epoch_start(trainer(), None)
    end_batch(check, 0.5, 0)
    message = r"loss is inf in epoch 4, batch 1 \(counted from 0\): lower optimizer\.lr"
    with pytest.raises(TrainingError, match=message):
        end_batch(check, torch.inf, 1)


def test_broken_images_are_named_before_a_high_rate():
    with pytest.raises(TrainingError, match=r"images of epoch 4, batch 1 .* repair the data"):
        end_batch(StopOnNonFinite(), torch.nan, 1, images=torch.tensor([1.0, torch.nan]))


def test_losses_of_a_device_are_checked_together_and_the_first_bad_one_named():
    check = StopOnNonFinite()
    check._losses = [torch.tensor(value) for value in (1.0, torch.nan, torch.inf)]
    with pytest.raises(TrainingError, match="loss is nan in epoch 4, batch 1 "):
        check.on_train_epoch_end(trainer(), None)


@pytest.fixture
def on_a_gpu(monkeypatch):
    for module in (checks, loss_check):
        monkeypatch.setattr(module, "is_immediate", lambda device: False)


def test_on_a_gpu_the_batch_and_its_images_are_named_later(on_a_gpu):
    check = StopOnNonFinite()
    end_batch(check, 0.5, 0)
    end_batch(check, torch.nan, 1, images=torch.tensor([1.0, torch.inf]))
    end_batch(check, torch.nan, 2)
    with pytest.raises(TrainingError, match=r"images of epoch 4, batch 1 .* repair the data"):
        check.on_validation_end(trainer(val_loss=torch.nan), None)


def test_on_a_gpu_fifty_losses_are_read_together(on_a_gpu):
    check = StopOnNonFinite()
    end_batch(check, torch.inf, 0)
    for index in range(1, 49):
        end_batch(check, 0.5, index)
    with pytest.raises(TrainingError, match="loss is inf in epoch 4, batch 0 "):
        end_batch(check, 0.5, 49)


def test_on_a_gpu_the_checks_of_quantizers_are_read_with_the_losses(on_a_gpu):
    check = StopOnNonFinite()
    check.on_fit_start(trainer(), None)
    checks.require(torch.tensor(False), "conv1: a range must be finite")
    end_batch(check, 0.5, 0)
    with pytest.raises(ValueError, match="conv1: a range"):
        check.on_train_epoch_end(trainer(), None)
    check.on_exception(trainer(), None, ValueError())
    with pytest.raises(ValueError, match="now"):
        checks.require(torch.tensor(False), "now")


def test_a_validation_loss_is_checked_where_there_is_one():
    check = StopOnNonFinite()
    check.on_validation_end(trainer(), None)
    check.on_validation_end(trainer(val_loss=0.5), None)
    with pytest.raises(TrainingError, match="validation loss is nan after epoch 4"):
        check.on_validation_end(trainer(val_loss=torch.nan), None)


def test_images_and_weights_are_checked_in_every_element():
    net = nn.Linear(2, 2)
    check_images(GOOD, "batch 0")
    check_weights(net)
    with torch.no_grad():
        net.bias[1] = -torch.inf
    with pytest.raises(TrainingError, match="NaN or infinity in bias"):
        check_weights(net)
