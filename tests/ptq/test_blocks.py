"""Blocks of layers, against whole networks."""

import pytest
import torch

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


def test_the_fisher_diagonal_is_that_of_the_whole_network():
    work = work_of(quantized(seeded(Residual)))
    net = work.float_net
    stem, *_ = each_block(work)

    def logits_of(z):
        return net.fc(net.block(z).mean((2, 3)))

    p = net(IMAGES).detach().softmax(1)
    jacobian = torch.autograd.functional.jacobian(lambda z: logits_of(z).sum(0), stem.float_outputs)
    jacobian = jacobian.flatten(2)  # class, image, element
    hessian = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    expected = torch.einsum("kne,nkl,lne->ne", jacobian, hessian, jacobian)
    diagonal = stem.fisher_diagonal(probes=16).flatten(1)
    assert torch.allclose(diagonal, expected, rtol=1e-3, atol=1e-7)
