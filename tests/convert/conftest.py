"""The network of every kind of integer operation, and images for it."""

import pytest
import torch

from tests.convert.integer_networks import make_net


@pytest.fixture
def net():
    return make_net()


@pytest.fixture
def images():
    return torch.randn(16, 3, 8, 8)
