"""Times of networks in torch, taken in turn so that the machine's drift meets all alike.

A fake-quantized network computes in float and is slower than the float one: its time says what
simulation costs, and nothing about integer hardware.
"""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.evaluation_mode import evaluating


@dataclass(frozen=True)
class ForwardTime:
    """Milliseconds of one forward pass: median and quartiles over ``repeats``."""

    median_ms: float
    lower_ms: float
    upper_ms: float
    repeats: int


def time_forwards(
    nets: Mapping[str, nn.Module], batch: Tensor, repeats: int = 30, warmup: int = 5
) -> dict[str, ForwardTime]:
    """Time forward passes of several networks on one batch, interleaved, synchronised.

    Raises:
        ValueError: If ``repeats`` is below 1.
    """
    if repeats < 1:
        raise InputError(f"repeats must be 1 or more, got {repeats}")
    seconds: dict[str, list[float]] = {name: [] for name in nets}
    for turn in range(warmup + repeats):
        for name, net in nets.items():
            taken = _forward_seconds(net, batch)
            if turn >= warmup:
                seconds[name].append(taken)
    return {name: _summary(taken) for name, taken in seconds.items()}


@torch.inference_mode()
def _forward_seconds(net: nn.Module, batch: Tensor) -> float:
    with evaluating(net):
        synchronize(batch.device)
        start = time.perf_counter()
        net(batch)
        synchronize(batch.device)
        return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    """Wait until a device has done all it was given; nothing to wait for on a CPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _summary(seconds: list[float]) -> ForwardTime:
    ms = [1000 * s for s in seconds]
    lower, median, upper = statistics.quantiles(ms, n=4) if len(ms) > 1 else ms * 3
    return ForwardTime(median, lower, upper, len(ms))
