"""What stands still from which epoch on, and after an interruption."""

import copy
from types import SimpleNamespace

import lightning as L
import pytest
import torch
from torch import nn

from qat.core.plan import LayerPlan
from qat.core.scheme import Method, TensorSpec
from qat.layers.linear import QuantLinear
from qat.training.fit import fit
from qat.training.phases import FollowProgress, FreezeBatchNorm, FreezeObservers
from qat.training.qat import QATClassifier
from qat.training.specs import FitSpec, OptimizerSpec

KEYS = {
    "freeze_batch_norm_at": ("1.running_mean", "1.running_var", "1.num_batches_tracked"),
    "freeze_observers_at": ("0.input_quantizer.scale", "5.input_quantizer.scale"),
}


class StopError(Exception):
    """Stands for a kill."""


class Watch(L.Callback):
    """Keeps the state at each epoch's end; stops in the second epoch if told to."""

    def __init__(self, stop: bool = False) -> None:
        self.stop, self.states = stop, {}

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if self.stop and (trainer.current_epoch, batch_idx) == (1, 2):
            raise StopError

    def on_train_epoch_end(self, trainer, pl_module):
        self.states[trainer.current_epoch] = copy.deepcopy(pl_module.net.state_dict())


def moved(states: dict, epochs: tuple[int, int], keys: tuple[str, ...]) -> list[bool]:
    before, after = (states[epoch] for epoch in epochs)
    return [not torch.equal(before[key], after[key]) for key in keys]


def train(net, train_batches, folder, setting, watch, at=1):
    spec = FitSpec(max_epochs=3, keep="last", accelerator="cpu", **{setting: at})
    module = QATClassifier(net, OptimizerSpec(lr=0.1))
    fit(module, train_batches, None, spec, folder, callbacks=[watch])


def test_batch_norm_is_evaluated_from_its_epoch_on():
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout())
    freeze = FreezeBatchNorm(2)
    modes = []
    for epoch in (1, 2, 3):
        net.train()
        freeze.on_train_epoch_start(SimpleNamespace(current_epoch=epoch), net)
        modes.append([module.training for module in net])
    assert modes == [[True, True], [False, True], [False, True]]


def test_ranges_follow_again_where_an_earlier_epoch_is_trained(quantized_net, images):
    freeze = FreezeObservers(1)
    scale = quantized_net[0].input_quantizer.scale
    before, moved_in = scale.clone(), []
    for epoch in (1, 0):
        freeze.on_train_epoch_start(SimpleNamespace(current_epoch=epoch), quantized_net)
        quantized_net.train()(10 * images)
        moved_in.append(not torch.equal(scale, before))
    assert moved_in == [False, True]


def test_ranges_that_a_step_holds_stay_held_before_the_epoch_too(
    quantized_net, train_batches, tmp_path
):
    held, other = quantized_net[0].input_quantizer, quantized_net[5].input_quantizer
    held.frozen = True
    before = held.scale.clone(), other.scale.clone()
    train(quantized_net, train_batches, tmp_path, "freeze_observers_at", watch := Watch(), at=1)
    assert torch.equal(watch.states[0]["0.input_quantizer.scale"], before[0])
    assert not torch.equal(watch.states[0]["5.input_quantizer.scale"], before[1])
    assert torch.equal(held.scale, before[0])


@pytest.mark.parametrize("setting", KEYS)
class TestFreezing:
    def test_statistics_move_before_and_stand_still_after(
        self, setting, quantized_net, train_batches, tmp_path
    ):
        start, watch = copy.deepcopy(quantized_net.state_dict()), Watch()
        train(quantized_net, train_batches, tmp_path, setting, watch)
        states = {-1: start, **watch.states}
        assert all(moved(states, (-1, 0), KEYS[setting]))
        assert not any(moved(states, (0, 1), KEYS[setting]))
        assert not any(moved(states, (1, 2), KEYS[setting]))
        assert all(moved(states, (1, 2), ("0.weight", "1.weight", "0.weight_quantizer.step")))

    def test_a_resumed_training_finds_them_frozen(
        self, setting, quantized_net, train_batches, tmp_path
    ):
        start = copy.deepcopy(quantized_net)
        with pytest.raises(StopError):
            train(quantized_net, train_batches, tmp_path, setting, first := Watch(stop=True))
        train(start, train_batches, tmp_path, setting, watch := Watch())
        assert sorted(watch.states) == [1, 2]
        assert not any(moved(first.states | watch.states, (0, 2), KEYS[setting]))

    def test_without_the_setting_they_move_on(
        self, setting, quantized_net, train_batches, tmp_path
    ):
        train(quantized_net, train_batches, tmp_path, setting, watch := Watch(), at=None)
        assert all(moved(watch.states, (1, 2), KEYS[setting]))


def test_quantizers_know_the_share_of_the_steps_that_are_done():
    weight = TensorSpec(bits=4, signed=True, quantizer=Method("parq"))
    plan = LayerPlan("it", "Linear", weight, TensorSpec(bits=32))
    net = nn.Sequential(QuantLinear.from_float(nn.Linear(2, 2), plan))
    trainer = SimpleNamespace(global_step=5, estimated_stepping_batches=10)
    FollowProgress().on_train_batch_start(trainer, net, None, 0)
    assert net[0].weight_quantizer.inverse_slope.item() == pytest.approx(0.5)
