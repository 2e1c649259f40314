"""Negative values that meet unsigned codes in a training: the worst of each place is kept."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Scheme, TensorSpec
from qat.training import signs as signs_file
from qat.training.signs import WatchSigns
from qat.training.step import loss_and_logits

BRIGHT = torch.full((4, 1, 4, 4), 3.0)
HALF_DARK = torch.cat([BRIGHT, -BRIGHT])


@pytest.fixture
def module():
    """A network whose input codes are unsigned, held as a classifier holds it."""
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2))
    scheme = Scheme(TensorSpec(), TensorSpec(signed=None), "same")
    qnet = quantize(net, make_plan(net, scheme, BRIGHT)).eval()
    calibrate(qnet, [BRIGHT])
    module = nn.Module()
    module.net, module.step = qnet, loss_and_logits
    return module


def run(watch, module, batches):
    for index, images in enumerate(batches):
        watch.on_train_batch_start(SimpleNamespace(), module, None, index)
        module.net(images)
        watch.on_train_batch_end(SimpleNamespace(), module, None, None, index)


def test_the_worst_first_batch_of_an_epoch_is_kept(module):
    watch = WatchSigns()
    for epoch in ([BRIGHT], [HALF_DARK], [torch.cat([BRIGHT, HALF_DARK])]):
        run(watch, module, epoch)
    [(place, clip)] = watch.worst.items()
    assert place == ("0", "act")
    assert (clip.name, clip.share, clip.lowest) == ("0", 0.5, -3.0)


def test_later_batches_and_compiled_steps_are_not_watched(module, monkeypatch):
    watch = WatchSigns()
    run(watch, module, [BRIGHT, HALF_DARK])
    monkeypatch.setattr(signs_file, "is_compiled", lambda step: True)
    run(watch, module, [HALF_DARK])
    assert watch.worst == {}
    assert not any(m._forward_pre_hooks for m in module.net.modules())
