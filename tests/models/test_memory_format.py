"""The memory format of networks."""

import pytest
import torch
from torch import nn

from qat.models.memory_format import choose_format, format_of_network, in_format

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("memory_format", "layer", "device", "chosen"),
    [
        ("auto", nn.Conv2d(3, 4, 3), "cpu", "channels_last"),
        ("auto", nn.Conv2d(3, 4, 3), "cuda", "channels_last"),
        ("auto", nn.Conv2d(3, 4, 3), "mps", "contiguous"),
        ("auto", nn.Linear(3, 4), "cpu", "contiguous"),
        ("contiguous", nn.Conv2d(3, 4, 3), "cpu", "contiguous"),
        ("channels_last", nn.Linear(3, 4), "cpu", "channels_last"),
    ],
)
def test_the_format_that_is_used(memory_format, layer, device, chosen):
    assert choose_format(memory_format, layer, torch.device(device)) == chosen


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match=r"trainer\.memory_format.*nhwc"):
        choose_format("nhwc", nn.Linear(3, 4), CPU)


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_weights_and_activations_have_the_format(memory_format):
    net = in_format(nn.Conv2d(3, 4, 3), memory_format, CPU)
    output = net(torch.zeros(2, 3, 8, 8))
    assert format_of_network(net) == memory_format
    strides = {"contiguous": (144, 36, 6, 1), "channels_last": (144, 1, 24, 4)}
    assert output.stride() == strides[memory_format]
