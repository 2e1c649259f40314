"""Graphs of networks as they compute in training."""

import random

import pytest
import torch
from torch import nn

from qat.graph.trace import TraceError
from qat.graph.training_graph import training_graph


class DrawsOnce(nn.Module):
    def forward(self, x):
        return x * random.random() if torch.rand(()) < 2 else x


class Counts(nn.Module):
    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.calls


class Branches(nn.Module):
    def forward(self, x):
        return x + 1 if self.training else x


def test_the_path_of_the_present_mode_is_traced():
    counts = [len(training_graph(Branches().train(mode)).nodes) for mode in (False, True)]
    assert counts == [2, 3]


def test_a_network_that_draws_is_refused_and_the_generators_stay():
    torch.manual_seed(0)
    random.seed(0)
    expected = torch.rand(1).item(), random.random()
    torch.manual_seed(0)
    random.seed(0)
    with pytest.raises(TraceError, match="draws random numbers outside of its layers"):
        training_graph(DrawsOnce())
    assert (torch.rand(1).item(), random.random()) == expected


def test_a_network_that_changes_itself_is_refused_and_stays():
    net = Counts()
    with pytest.raises(TraceError, match="changes its own attributes in forward"):
        training_graph(net)
    assert net.calls == 0
