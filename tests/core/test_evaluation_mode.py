"""Evaluation mode ends with the block, and lets every layer be called."""

import pytest
import torch
from torch import nn

from qat.core.evaluation_mode import evaluating, layers_called


def test_each_module_gets_its_own_mode_back_after_an_error():
    net = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(3)).train()
    net[1].eval()

    def fail():
        with evaluating(net):
            assert not any(module.training for module in net.modules())
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert [module.training for module in net.modules()] == [True, True, False]


class Counting(nn.Linear):
    """A hook would do, but torch looks for hooks before it takes the fast path."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


@torch.no_grad()
def test_the_layers_of_a_transformer_are_called():
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    layer.linear1 = Counting(4, 8)
    layer.eval()
    x = torch.randn(2, 3, 4)
    fused = layer(x)
    assert layer.linear1.calls == 0  # the fast path; without one layers_called is not needed
    with layers_called():
        torch.testing.assert_close(layer(x), fused)
    assert layer.linear1.calls == 1
    layer(x)
    assert layer.linear1.calls == 1
