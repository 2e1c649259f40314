"""A stretch of a network computes what the network computes there, and spares what others read."""

import operator

import pytest
import torch
from torch import nn

from qat.graph.trace import trace
from qat.sensitivity.graph_part import GraphPart, add_into, relu_into


class Block(nn.Module):
    """``x`` is read by a convolution, two additions and a subtraction."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.norm, self.act = nn.BatchNorm2d(3), nn.ReLU()

    def forward(self, images):
        x = self.act(self.stem(images))
        y = torch.relu(self.norm(self.conv(x)) + x)
        return (x + y) - x


@torch.no_grad()
@pytest.mark.parametrize("cut", range(1, 10))
def test_two_stretches_compute_the_whole(tiny_images, cut):
    net = Block().eval()
    traced = trace(net)
    count = len(traced.graph.nodes)
    first, second = GraphPart(traced, 1, cut), GraphPart(traced, cut, count)
    [images] = [node for node in traced.graph.nodes if node.op == "placeholder"]
    values = {images: tiny_images.clone()}
    values |= dict(zip(first.results, first.run(*(values[n] for n in first.inputs)), strict=True))
    before = {node: value.clone() for node, value in values.items()}
    for _ in range(2):  # what was kept is as it was
        out = second.run(*(values[n] for n in second.inputs))
        assert torch.equal(out, net(tiny_images))
        assert all(torch.equal(values[node], before[node]) for node in values)


def test_a_relu_and_an_addition_write_where_nothing_else_reads():
    traced = trace(Block().eval())
    part = GraphPart(traced, 1, len(traced.graph.nodes))
    targets = [node.target for node in part.run.graph.nodes if node.op == "call_function"]
    assert targets == [relu_into, add_into, relu_into, operator.add, operator.sub]
    assert [n.target for n in part.run.graph.nodes if n.op == "call_module"] == [
        "stem",
        "conv",
        "norm",
    ]
    kept = GraphPart(traced, 1, len(traced.graph.nodes), reuse=False)
    assert not {relu_into, add_into} & {node.target for node in kept.run.graph.nodes}


def test_a_sum_of_another_shape_or_type_is_a_new_tensor():
    x = torch.ones(2, 1)
    for other in (torch.ones(2, 3), torch.ones(2, 1).double(), 2.0):
        assert torch.equal(add_into(x, other), torch.ones(2, 1) + other)
        assert torch.equal(x, torch.ones(2, 1))
    assert add_into(x, torch.ones(2, 1)) is x
