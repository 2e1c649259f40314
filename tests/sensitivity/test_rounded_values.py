"""Inputs of layers as the network runs, and the loss that depends on them."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from qat.convert.rules import make_plan
from qat.sensitivity.rounded_values import inputs_of, slot_tensors, weight_of
from qat.sensitivity.single_quantizer import fit_quantizers


@pytest.mark.parametrize("differentiable", [True, False])
def test_an_input_for_each_call(differentiable):
    twice = nn.Linear(2, 2)
    net = nn.Sequential(nn.ReLU(), twice, twice)
    x = torch.tensor([[-1.0, 2.0]])
    with inputs_of(net, ["0", "1"], differentiable=differentiable) as inputs:
        net(x)
    assert [value.tolist() for value in inputs["0"]] == [[[-1.0, 2.0]]]
    first, second = inputs["1"]
    assert first.tolist() == [[0.0, 2.0]]
    torch.testing.assert_close(second, twice(torch.tensor([[0.0, 2.0]])))
    assert inputs["0"][0].requires_grad is differentiable
    assert not x.requires_grad
    with torch.no_grad():
        net(x)
    assert len(inputs["1"]) == 2  # outside of the block nothing is collected


def test_the_loss_depends_on_each_tensor(toy, every_layer):
    net, images, labels = toy
    fitted = fit_quantizers(net, make_plan(net, every_layer, images), [4], [images])
    slots = [("1", "weight"), ("0", "act"), ("1", "act")]
    with torch.no_grad():  # gradients are turned on where they are needed
        loss, tensors = slot_tensors(fitted, slots, (images, labels))
    assert loss.item() == pytest.approx(4 * F.cross_entropy(net(images), labels).item())
    torch.testing.assert_close(tensors["0", "act"][0], images)
    torch.testing.assert_close(tensors["1", "act"][0], net[0](images))
    assert tensors["1", "weight"][0] is weight_of(fitted, ("1", "weight"))
    (by_input,) = torch.autograd.grad(loss, tensors["0", "act"])
    x = images.clone().requires_grad_()
    F.cross_entropy(net(x), labels, reduction="sum").backward()
    torch.testing.assert_close(by_input, x.grad)
