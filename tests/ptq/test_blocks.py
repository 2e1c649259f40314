"""Blocks of layers, against whole networks."""

import pytest
import torch
from torch.nn import functional as F

from qat.ptq.blocks import each_block
from tests.ptq.networks import IMAGES, Residual, quantized, seeded, work_of


@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_inputs_and_outputs_and_the_block_itself(placement):
    qnet = quantized(seeded(Residual), placement=placement)
    work = work_of(qnet)
    stem, block, last = each_block(work)
    assert (stem.name, block.name, last.name) == ("stem", "block.conv1", "fc")
    assert list(block.twins) == ["block.conv1", "block.conv2"]
    assert torch.equal(stem.inputs, IMAGES)
    assert torch.equal(stem.float_outputs, block.float_inputs)
    with torch.no_grad():
        chained = block.run(stem.run(IMAGES))
        assert torch.allclose(last.run(chained), qnet(IMAGES), atol=1e-6)
        assert torch.equal(last.float_outputs, torch.cat([work.float_net(b) for b in work.batches]))
    last.run(last.inputs[:2]).sum().backward()
    assert qnet.fc.weight.grad is not None


def test_the_gradients_of_the_loss_are_those_of_the_whole_network():
    qnet = quantized(seeded(Residual))
    work = work_of(qnet)
    net = work.float_net
    block = next(block for block in each_block(work) if block.name == "block.conv1")
    kept = []
    handle = net.block.register_forward_hook(lambda _, x, y: kept.append(y) or y.retain_grad())
    logits = net(IMAGES)
    F.cross_entropy(logits, logits.argmax(1), reduction="sum").backward()
    handle.remove()
    gradients = block.loss_gradients()
    # The block ends behind the mean over positions.
    expected = kept[0].grad.sum((2, 3))
    assert torch.allclose(gradients, expected, atol=1e-6)
