"""Which layers follow each other, with nothing but scalable operations between them."""

import pytest
import torch
from torch import nn

from qat.ptq.chains import Chain, chains
from tests.ptq.networks import Residual, chain_net, seeded


def pairs(net):
    return [(chain.first, chain.second, chain.activation) for chain in chains(net)]


def test_a_mobilenet_is_one_long_chain():
    net = chain_net(norms=False)
    assert pairs(net) == [("0", "3", "relu"), ("3", "6", "relu"), ("6", "11", "relu")]
    assert [chain.pools for chain in chains(net)] == [False, False, True]
    assert chains(chain_net(nn.ReLU6, norms=False))[0] == Chain("0", "3", "relu6", "2")


def test_batch_norm_and_branches_end_a_chain():
    assert pairs(seeded(Residual)) == []
    net = seeded(Residual)
    net.bn = net.block.bn1 = net.block.bn2 = nn.Identity()
    assert pairs(net) == [("block.conv1", "block.conv2", "relu")]


class Net(nn.Module):
    """Two layers with any function between them."""

    def __init__(self, between, second=None) -> None:
        super().__init__()
        self.a = nn.Conv2d(3, 4, 1)
        self.b = second or nn.Conv2d(4, 2, 1)
        self.act = nn.ReLU6()
        self.between = between

    def forward(self, x):
        return self.b(self.between(self, self.a(x)))


@pytest.mark.parametrize(
    ("between", "second", "activation"),
    [
        (lambda net, x: torch.relu(x), None, "relu"),
        (lambda net, x: x.relu(), None, "relu"),
        (lambda net, x: nn.functional.max_pool2d(x, 2), None, "none"),
        (lambda net, x: net.act(x), None, "relu6"),
        (lambda net, x: torch.flatten(x, 1), nn.Linear(16, 2), "none"),
        (lambda net, x: x.mean((2, 3)), nn.Linear(4, 2), "none"),
        (lambda net, x: x.mean([-2, -1]), nn.Linear(4, 2), "none"),
        (lambda net, x: nn.functional.silu(x), None, None),
        (lambda net, x: net.act(net.act(x)), None, None),
        (lambda net, x: x + 1, None, None),
        (lambda net, x: torch.relu(x) + x, None, None),
        (lambda net, x: torch.flatten(x, 2), nn.Linear(4, 2), None),
        (lambda net, x: x, nn.Linear(4, 2), None),  # reads the last axis, not the channels
        (lambda net, x: x.mean((1, 2)), nn.Linear(4, 2), None),
    ],
)
def test_what_may_be_between(between, second, activation):
    found = pairs(Net(between, second))
    assert found == ([] if activation is None else [("a", "b", activation)])


def test_a_layer_that_is_called_twice_is_in_no_chain():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)

        def forward(self, x):
            return self.b(self.a(self.a(x)))

    assert pairs(Twice()) == []
