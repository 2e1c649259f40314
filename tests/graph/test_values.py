"""What is recorded of one run, against the run itself."""

import torch
from torch import fx, nn

from qat.graph.values import run_values


def test_shapes_sizes_and_several_tensors():
    def forward(x):
        first = x.split([1, 2], dim=1)[0]
        return first.reshape(x.size(0), -1)

    traced = fx.symbolic_trace(forward)
    values = run_values(traced, torch.zeros(4, 3, 2, 2))
    shapes = {node.name: shape for node, shape in values.shapes.items()}
    assert shapes["x"] == (4, 3, 2, 2)
    assert shapes["split"] == ((4, 1, 2, 2), (4, 2, 2, 2))
    assert shapes["reshape"] == (4, 4)
    (size,) = [node for node in values.plain if node.name == "size"]
    assert values.plain[size] == 4
    assert values.resolved((size, [size, -1], "same")) == (4, [4, -1], "same")


def test_one_image_is_repeated_and_the_network_stays_in_training():
    net = nn.Sequential(nn.BatchNorm2d(3))
    traced = fx.symbolic_trace(net).train()
    values = run_values(traced, torch.ones(1, 3, 2, 2))
    assert set(values.shapes.values()) == {(2, 3, 2, 2)}
    assert traced.training
    assert torch.equal(net[0].running_mean, torch.zeros(3))  # it ran in evaluation mode
