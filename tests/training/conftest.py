"""A network and images so small that an epoch takes milliseconds."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec

CLASSES = 3


@pytest.fixture(autouse=True)
def always_one_thread(one_thread):
    """Results depend on the number of threads, and epochs here are too short for two."""


@pytest.fixture
def float_net() -> nn.Module:
    """Convolution, batch norm and, what draws at random, dropout."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(4 * 16, CLASSES),
    )


@pytest.fixture
def images() -> Tensor:
    """40 images of 6 x 6."""
    return torch.randn(40, 1, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels(images: Tensor) -> Tensor:
    """Of classes that can be learned, with some noise."""
    template = torch.randn(36, CLASSES, generator=torch.Generator().manual_seed(2))
    return (images.flatten(1) @ template).argmax(dim=1)


@pytest.fixture
def train_batches(images: Tensor, labels: Tensor) -> Callable:
    """Five batches of eight, in an order that is a function of the epoch."""

    def batches(epoch: int) -> list[tuple[Tensor, Tensor]]:
        order = torch.randperm(40, generator=torch.Generator().manual_seed(epoch))
        return [(images[part], labels[part]) for part in order.split(8)]

    return batches


@pytest.fixture
def val_batches(images: Tensor, labels: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Two batches, of unequal size."""
    return [(images[:16], labels[:16]), (images[16:20], labels[16:20])]


@pytest.fixture
def quantized_net(float_net: nn.Module, images: Tensor) -> nn.Module:
    """Learned steps on weights, ranges that follow the data on activations; calibrated."""
    scheme = Scheme(
        weight=TensorSpec(bits=4, granularity="channel", quantizer=Method("lsq")),
        act=TensorSpec(bits=4, quantizer=Method("minmax")),
    )
    plan = make_plan(float_net, scheme, images[:8])
    qnet = quantize(float_net, plan)
    calibrate(qnet, [images[:16]])
    return qnet
