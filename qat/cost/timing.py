"""Times of networks in torch, measured in turn so that changes of the machine affect all equally.

A fake-quantized network computes in float and is slower than the float network. Its time is the
cost of the simulation; it says nothing about integer hardware.
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
    """Time of one forward pass.

    Attributes:
        median_ms: Median over the repeats, in milliseconds.
        lower_ms: Lower quartile.
        upper_ms: Upper quartile.
        repeats: Number of timed passes.
    """

    median_ms: float
    lower_ms: float
    upper_ms: float
    repeats: int


def time_forwards(
    nets: Mapping[str, nn.Module], batch: Tensor, repeats: int = 30, warmup: int = 5
) -> dict[str, ForwardTime]:
    """Time forward passes of several networks on one batch.

    Each turn runs every network once, in evaluation mode and inference mode, and waits for the
    device before and after.

    Args:
        nets: Name → network.
        batch: Input of every network, on its device.
        repeats: Turns that are timed.
        warmup: Turns before these, which are not timed.

    Returns:
        Name → time, of each network.

    Raises:
        InputError: If ``repeats`` is below 1.
    """
    if repeats < 1:
        raise InputError(f"repeats must be 1 or more, got {repeats}")
    seconds: dict[str, list[float]] = {name: [] for name in nets}
    for turn in range(warmup + repeats):
        for name, net in nets.items():
            duration = _forward_seconds(net, batch)
            if turn >= warmup:
                seconds[name].append(duration)
    return {name: _summary(durations) for name, durations in seconds.items()}


@torch.inference_mode()
def _forward_seconds(net: nn.Module, batch: Tensor) -> float:
    with evaluating(net):
        synchronize(batch.device)
        start = time.perf_counter()
        net(batch)
        synchronize(batch.device)
        return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    """Wait until a device has finished its work; a CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _summary(seconds: list[float]) -> ForwardTime:
    ms = [1000 * s for s in seconds]
    lower, median, upper = statistics.quantiles(ms, n=4) if len(ms) > 1 else ms * 3
    return ForwardTime(median, lower, upper, len(ms))
