"""Networks in placement integer while they are trained."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from qat.convert.calibrate import calibrate, set_phase
from qat.convert.integer import fold_norms
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, TensorSpec
from qat.layers.walk import twins
from tests.convert.integer_networks import integer, quantized

# Training ---------------------------------------------------------------------------------------


def training(net, images, **more):
    weight = TensorSpec(bits=4, granularity="channel", quantizer=Method("lsq"))
    act = TensorSpec(bits=4, quantizer=Method("lsq"))
    return quantized(net, images, integer(weight, act, **more), keep_norms=True)


def test_gradients_reach_weights_norms_biases_and_scales(net, images):
    qnet = training(net, images)
    qnet.train()
    qnet.drop.eval()
    qnet(images).square().sum().backward()
    missing = [name for name, p in qnet.named_parameters() if p.grad is None or not p.grad.any()]
    assert not missing
    names = dict(qnet.named_parameters())
    assert {
        *("left.weight", "left.norm.weight", "left.norm.bias"),
        *("left.weight_quantizer.step", "tensors.add.quantizer.step", "head.bias"),
    } <= names.keys()


def test_a_training_step_lowers_the_loss(net, images):
    qnet = training(net, images).train()
    qnet.drop.eval(), qnet.path.eval()
    target = torch.randint(0, 5, (16,))
    optimizer = torch.optim.SGD(qnet.parameters(), lr=0.05)
    losses = []
    for _ in range(20):
        loss = F.cross_entropy(qnet(images), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


def test_statistics_follow_the_data_and_stand_still_when_frozen(net, images):
    qnet = training(net, images)
    twin = qnet.left
    start = twin.norm.running_mean.clone()
    qnet.train()
    qnet(images)
    moved = twin.norm.running_mean.clone()
    assert not torch.equal(moved, start)
    twin.norm.eval()  # frozen, while all else trains on
    qnet(images)
    assert torch.equal(twin.norm.running_mean, moved)
    assert twin.training
    qnet.eval()(images)
    assert torch.equal(twin.norm.running_mean, moved)


def test_statistics_are_those_of_the_float_layer(net, images):
    """With nothing rounded, folding follows the statistics that the float network follows."""
    qnet = quantized(net, images, keep_norms=True)
    set_phase(qnet, "off")
    for each in (net, qnet):
        each.train()
        each.path.eval(), each.drop.eval()
        each(images)
    # Of the first layer alone: a training float network normalises by the batch behind it.
    assert torch.allclose(qnet.stem.norm.running_mean, net.norm.running_mean, atol=1e-6)
    assert torch.allclose(qnet.stem.norm.running_var, net.norm.running_var, atol=1e-5)
    assert qnet.stem.norm.num_batches_tracked == net.norm.num_batches_tracked


def test_linear_layers_have_their_statistics_followed_too(images):
    net = nn.Sequential(nn.Flatten(), nn.Linear(192, 6, bias=False), nn.BatchNorm1d(6)).eval()
    qnet = quantized(net, images, keep_norms=True)
    set_phase(qnet, "off")
    qnet.train()(images), net.train()(images)
    twin = qnet.get_submodule("1")
    assert torch.allclose(twin.norm.running_mean, net[2].running_mean, atol=1e-6)
    assert torch.allclose(twin.norm.running_var, net[2].running_var, atol=1e-6)
    assert net[2].running_mean.abs().max() > 1e-3


def test_what_was_trained_is_what_is_exported(net, images):
    qnet = training(net, images)
    qnet.train()(images)
    qnet.eval()
    before = qnet(images)
    fold_norms(qnet)
    assert torch.equal(qnet(images), before)
    assert all(twin.norm is None for _, twin in twins(qnet))


@pytest.mark.parametrize("keep_norms", [True, False])
def test_training_flags_stay_the_users(net, images, keep_norms):
    net.train()
    net.drop.eval()
    net.left_norm.eval()
    flags = {name: module.training for name, module in net.named_modules()}
    qnet = quantize(net, make_plan(net, integer(), images), keep_norms=keep_norms)
    calibrate(qnet, [images])
    assert {name: module.training for name, module in net.named_modules()} == flags
    assert qnet.training
    assert qnet.path.training
    assert not qnet.drop.training
    if keep_norms:
        assert qnet.stem.norm.training
        assert not qnet.left.norm.training


def test_a_training_drops_and_an_evaluation_does_not(net, images):
    qnet = quantized(net, images, keep_norms=True)
    assert torch.equal(qnet(images), qnet(images))
    qnet.train()
    for norm in (qnet.stem.norm, qnet.left.norm):
        norm.eval()
    for kept, dropped in (("path", "drop"), ("drop", "path")):
        qnet.get_submodule(kept).eval()
        qnet.get_submodule(dropped).train()
        assert not torch.equal(qnet(images), qnet(images))
    assert torch.equal(qnet.eval()(images), qnet(images))


def test_a_functional_dropout_drops_in_a_training(images):
    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return F.dropout(self.conv(x).relu(), 0.5, self.training)

    qnet = quantized(Functional().eval(), images)
    dropped = (qnet.train()(images) == 0).float().mean() - (qnet.eval()(images) == 0).float().mean()
    assert dropped > 0.1
