"""Training in placement integer: batch norm is folded at each use while it is trained."""

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.integer import fold_norms
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from tests.training.test_phases import Watch, moved, train

STATISTICS = ("0.norm.running_mean", "0.norm.running_var", "0.norm.num_batches_tracked")
TRAINED = ("0.weight", "0.norm.weight", "0.norm.bias", "0.weight_quantizer.step", "5.bias")


@pytest.fixture
def integer_net(float_net: nn.Module, images: torch.Tensor) -> nn.Module:
    scheme = Scheme(
        weight=TensorSpec(bits=4, granularity="channel", quantizer=Method("lsq")),
        act=TensorSpec(bits=4),
        placement="integer",
    )
    plan = make_plan(float_net, scheme, images[:8])
    qnet = quantize(float_net, plan, keep_norms=True)
    calibrate(qnet, [images[:16]])
    return qnet


def test_statistics_follow_for_a_warm_up_and_are_frozen_after_it(
    integer_net, train_batches, tmp_path
):
    start = {key: value.clone() for key, value in integer_net.state_dict().items()}
    watch = Watch()
    train(integer_net, train_batches, tmp_path, "freeze_batch_norm_at", watch)
    states = {-1: start, **watch.states}
    assert all(moved(states, (-1, 0), STATISTICS))
    assert not any(moved(states, (0, 2), STATISTICS))
    assert all(moved(states, (1, 2), TRAINED))


def test_ranges_of_tensors_stand_still_when_frozen(integer_net, train_batches, tmp_path):
    keys = ("tensors.input.quantizer.scale", "tensors.0.quantizer.scale")
    start = {key: value.clone() for key, value in integer_net.state_dict().items()}
    watch = Watch()
    train(integer_net, train_batches, tmp_path, "freeze_observers_at", watch)
    assert all(moved({-1: start, **watch.states}, (-1, 0), keys))
    assert not any(moved(watch.states, (0, 2), keys))


def test_folding_at_the_end_changes_nothing(integer_net, train_batches, images, tmp_path):
    train(integer_net, train_batches, tmp_path, "freeze_batch_norm_at", Watch())
    integer_net.eval()
    with torch.no_grad():
        before = integer_net(images)
        fold_norms(integer_net)
        assert torch.equal(integer_net(images), before)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in integer_net.modules())
