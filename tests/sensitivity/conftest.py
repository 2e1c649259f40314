"""Images and two small networks with their plans, for all tests of sensitivity."""

import pytest
import torch
from torch import nn

from qat.convert.rules import make_plan
from qat.core.scheme import Scheme, TensorSpec


@pytest.fixture
def images():
    """8 images of 2 x 4 x 4."""
    return torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def every_layer():
    """A scheme that quantizes the first and the last layer like the others."""
    return Scheme(weight=TensorSpec(granularity="channel"), first_last="same")


@pytest.fixture
def toy():
    """``x -> (x1 + 0.4 x2, x2)``, then the identity as a layer of its own."""
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[1.0, 0.4], [0.0, 1.0]]))
        net[1].weight.copy_(torch.eye(2))
    images = torch.tensor([[0.8, 1.0], [3.0, 1.0], [0.3, 1.0], [0.45, 0.7]])
    return net.eval(), images, torch.tensor([0, 0, 1, 0])  # all classified right


@pytest.fixture
def case(tiny_model, tiny_images, every_layer):
    """The small network, a plan of all its layers, and three batches with the net's own labels."""
    labels = tiny_model(tiny_images).argmax(1)
    batches = list(zip(tiny_images.split(6), labels.split(6), strict=True))
    return tiny_model, make_plan(tiny_model, every_layer, tiny_images), batches
