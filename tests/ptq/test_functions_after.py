"""The functions behind layers, against the network itself."""

import torch
from torch import nn

from qat.ptq.functions_after import functions_after
from tests.ptq.networks import Residual, quantized, seeded


def test_batch_norm_and_activation_that_alone_read_the_layer():
    qnet = quantized(seeded(Residual))
    after = functions_after(qnet)
    assert list(after) == ["stem", "block.conv1", "block.conv2"]
    y = torch.randn(2, 6, 4, 4)
    assert torch.equal(after["stem"](y), torch.relu(qnet.bn(y)))
    assert torch.equal(after["block.conv2"](y), qnet.block.bn2(y))  # the addition reads it


class TwoReaders(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 1), nn.Linear(4, 2)

    def forward(self, x):
        y = self.conv(x)
        return self.fc((y + torch.relu(y)).mean((2, 3)))


def test_nothing_if_something_else_reads_the_output_too():
    assert functions_after(quantized(seeded(TwoReaders))) == {}


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.relu, self.fc = nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.relu(self.conv(x)).mean((2, 3)))


def test_functions_in_place_do_not_change_their_input():
    y = torch.full((1, 4, 2, 2), -1.0)
    assert functions_after(quantized(seeded(InPlace)))["conv"](y).sum() == 0
    assert y.sum() == -16


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3 * 8 * 8, 2)

    def forward(self, x):
        return torch.relu(self.fc(x.flatten(1))) if x.sum() > -1e9 else x


def test_a_network_that_cannot_be_traced_has_none():
    assert functions_after(quantized(seeded(Branching))) == {}
