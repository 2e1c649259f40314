"""Put a network into evaluation mode for the time of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards each module has its former mode again.

    Example:
        >>> net = nn.Sequential(nn.Dropout()).train()
        >>> with evaluating(net):
        ...     net.training, net[0].training
        (False, False)
        >>> net.training, net[0].training
        (True, True)
    """
    was_training = {module: module.training for module in net.modules()}
    net.eval()
    try:
        with layers_called():
            yield
    finally:
        for module, training in was_training.items():
            module.training = training


@contextmanager
def layers_called() -> Iterator[None]:
    """Inside the block, torch's transformer layers call the layers that they consist of.

    In evaluation mode torch computes a transformer layer by one fused kernel (its "fast path"),
    which reads the parameters directly and so skips quantized layers.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
