"""Evaluation mode for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Evaluation mode inside, each module's own mode again behind it."""
    was_training = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, training in was_training.items():
            module.training = training
