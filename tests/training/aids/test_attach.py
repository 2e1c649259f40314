"""From settings to the parts of a training."""

from torch import nn

from qat.training.aids.attach import callbacks, distillation, penalties
from qat.training.aids.spec import AidsSpec, DistillationSpec


def test_nothing_is_attached_by_default():
    assert penalties(AidsSpec()) == ()
    assert callbacks(AidsSpec()) == []
    assert distillation(nn.Linear(2, 2), DistillationSpec()) is None


def test_each_setting_attaches_its_part():
    spec = AidsSpec(average_decay=0.99, dampening=0.1, freeze_first=0.1, bin_regularization=0.001)
    assert [penalty.name for penalty in penalties(spec)] == ["dampening", "bin_regularization"]
    names = [type(callback).__name__ for callback in callbacks(spec)]
    assert names == ["FreezeOscillating", "AverageWeights"]
    assert distillation(nn.Linear(2, 2), DistillationSpec(weight=0.5)).spec.weight == 0.5
