"""Statistics of batch norm, estimated in the quantized network."""

import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.ptq.bn_reestimate import BNReestimate
from tests.ptq.networks import IMAGES, Residual, quantized, seeded, work_of


@torch.no_grad()
def test_the_first_statistics_are_averages_over_the_batches():
    qnet = quantized(seeded(Residual), bits=3)
    outputs = [qnet.stem(batch) for batch in IMAGES.split(4)]
    affine = qnet.bn.weight.clone(), qnet.bn.bias.clone()
    BNReestimate().change(work_of(qnet))
    means = torch.stack([y.mean((0, 2, 3)) for y in outputs]).mean(0)
    variances = torch.stack([y.transpose(0, 1).flatten(1).var(1) for y in outputs]).mean(0)
    assert torch.allclose(qnet.bn.running_mean, means, atol=1e-6)
    assert torch.allclose(qnet.bn.running_var, variances, rtol=1e-5)
    assert torch.equal(qnet.bn.weight, affine[0])
    assert torch.equal(qnet.bn.bias, affine[1])
    assert (qnet.bn.momentum, qnet.bn.training) == (0.1, False)


@torch.no_grad()
def test_shifted_statistics_are_repaired():
    qnet = quantized(seeded(Residual), bits=8)
    BNReestimate().change(work_of(qnet))
    expected = qnet(IMAGES)
    for module in qnet.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.add_(3.0)
    assert not torch.allclose(qnet(IMAGES), expected, atol=0.1)
    BNReestimate().change(work_of(qnet))
    assert torch.allclose(qnet(IMAGES), expected, atol=1e-5)


def test_a_network_without_batch_norm_is_refused():
    qnet = quantized(seeded(Residual), placement="integer")
    with pytest.raises(InputError, match="the quantized network has no batch norm"):
        BNReestimate().change(work_of(qnet))
