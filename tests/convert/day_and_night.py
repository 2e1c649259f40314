"""A network whose input is bright or dark, and schemes for it."""

import torch
from torch import nn

from qat.core.scheme import Scheme, TensorSpec

DAY, NIGHT = torch.full((2, 1, 4, 4), 3.0), torch.full((2, 1, 4, 4), -1.0)


def net():
    """Its input is bright or dark, its second layer's is behind a ReLU."""
    return nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32, 2)
    )


def scheme(placement="academic", signed=None):
    return Scheme(TensorSpec(granularity="channel"), TensorSpec(signed=signed), "same", placement)
