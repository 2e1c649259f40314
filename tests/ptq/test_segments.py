"""Segments: together they are the network, bit for bit."""

import pytest
import torch
from torch import nn

from qat.convert.swap import to_float
from qat.ptq.segments import Segment, segments
from tests.ptq.networks import IMAGES, Residual, chain_net, quantized, seeded


class Branching(nn.Module):
    """Cannot be traced: it asks for a value."""

    def __init__(self) -> None:
        super().__init__()
        self.late, self.early = nn.Linear(4, 2), nn.Linear(3 * 64, 4)

    def forward(self, x):
        x = self.early(x.flatten(1))
        return self.late(x if float(x.sum()) > -1e9 else -x)


def run_all(parts, net, x):
    for part in parts:
        x = part.run(net, x)
    return x


@pytest.mark.parametrize("placement", ["academic", "integer"])
@pytest.mark.parametrize("make", [Residual, chain_net], ids=["residual", "chain"])
@torch.no_grad()
def test_segments_in_a_row_are_the_network(make, placement):
    qnet = quantized(seeded(make), placement=placement)
    parts = segments(qnet, IMAGES)
    assert torch.equal(run_all(parts, qnet, IMAGES), qnet(IMAGES))
    net = to_float(qnet)
    assert torch.equal(run_all(parts, net, IMAGES), net(IMAGES))


def test_a_residual_block_is_one_segment_with_its_activation():
    qnet = quantized(seeded(Residual))
    parts = segments(qnet, IMAGES)
    assert [part.names for part in parts] == [
        ("stem",), ("block.conv1", "block.conv2"), ("fc",)
    ]  # fmt: skip
    with torch.no_grad():
        x = parts[0].run(qnet, IMAGES)
        assert float(x.min()) == 0  # behind the ReLU
        expected = torch.relu(qnet.bn(qnet.stem(IMAGES)))
        assert torch.equal(x, expected)
        block = parts[1].run(qnet, x)
    assert torch.equal(block.mean((2, 3)) if block.ndim == 4 else block, qnet.block(x).mean((2, 3)))
    assert parts[0].following == tuple(parts[1:])
    assert parts[2].following == ()


def test_quantized_tensors_belong_to_the_segment_that_makes_them():
    qnet = quantized(seeded(Residual), placement="integer")
    first, block, _ = segments(qnet, IMAGES)
    assert {"stem", "tensors.input", "tensors.stem"} == set(first.paths(qnet))
    assert {"block.conv1", "block.conv2"} < set(block.paths(qnet))


def test_a_network_that_cannot_be_traced_is_one_segment_in_execution_order():
    qnet = quantized(seeded(Branching))
    (whole,) = segments(qnet, IMAGES)
    assert whole.names == ("early", "late")
    assert whole.paths(qnet) == ("early", "late")
    with torch.no_grad():
        assert torch.equal(whole.run(qnet, IMAGES), qnet(IMAGES))
    assert not any(module._forward_hooks for module in qnet.modules())


def test_a_segment_has_gradients():
    qnet = quantized(seeded(Residual))
    part = segments(qnet, IMAGES)[0]
    assert isinstance(part, Segment)
    part.run(qnet, IMAGES).sum().backward()
    assert qnet.stem.weight.grad is not None
