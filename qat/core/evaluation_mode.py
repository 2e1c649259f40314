"""Evaluation mode for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Evaluation mode inside, each module's own mode again behind it."""
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
    """Inside, torch's transformer layers call the layers that they consist of.

    In evaluation mode torch computes them by one fused kernel (its "fast path"), which reads the
    parameters and goes around quantized layers.
    """
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
