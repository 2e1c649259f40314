"""A step of a classifier: its loss in numpy, its weights on a rank, its metrics."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from qat.training.classifier import Classifier
from qat.training.specs import OptimizerSpec


class Lookup(nn.Module):
    """Logits are what the images hold."""

    def forward(self, images):
        return images


LOGITS, LABELS = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]]), torch.tensor([0, 1])


def by_numpy(smoothing):
    logits = LOGITS.double().numpy()
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = np.eye(3)[LABELS.numpy()] * (1 - smoothing) + smoothing / 3
    return -(target * log_softmax).sum(axis=1).mean()


def classifier(**values):
    module = Classifier(Lookup(), OptimizerSpec(), **values)
    module.log = lambda *args, **kwargs: None  # Lightning's needs a trainer
    return module


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_labels_are_smoothed_in_training_alone(smoothing):
    module = classifier(label_smoothing=smoothing)
    loss = module.training_step((LOGITS, LABELS), 0)
    assert loss.item() == pytest.approx(by_numpy(smoothing), rel=1e-6)
    module.validation_step((LOGITS, LABELS), 0)
    assert module.meters["val_loss"].compute().item() == pytest.approx(by_numpy(0.0), rel=1e-6)
    assert module.meters["val_top1"].compute().item() == 0.5


def test_a_ranks_loss_has_the_weight_of_its_share():
    module = classifier()
    module._trainer = SimpleNamespace(world_size=2)
    loss = module.training_step((LOGITS, LABELS, 4 / 5), 0)  # two of five images, two ranks
    assert loss.item() == pytest.approx(4 / 5 * by_numpy(0.0), rel=1e-6)


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, float("nan")])
def test_a_smoothing_out_of_range_is_refused(smoothing):
    with pytest.raises(ValueError, match=f"label_smoothing must be 0 to 1, got {smoothing}"):
        classifier(label_smoothing=smoothing)
