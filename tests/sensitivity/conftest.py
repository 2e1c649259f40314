"""Images that every test of the room takes."""

import pytest
import torch


@pytest.fixture
def images():
    """8 images of 2 x 4 x 4."""
    return torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(0))
