"""How the output channels of one weight fare beside the whole: one scale may not fit them all.

A weight with one scale for all its channels can have a high SQNR while some of its channels lose
everything: the sum over all values is ruled by the loudest ones.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from qat.base.errors import InputError


@dataclass(frozen=True)
class ChannelSpread:
    """Output channels of a weight, after quantization.

    Attributes:
        worst_db: Lowest SQNR of a channel, in dB; infinite if no channel lost anything.
        worst: Index of that channel.
        range_ratio: Largest ``max|w|`` of a channel over that of the median channel.
        dead: Channels that were not zero and are zero after quantization.
    """

    worst_db: float
    worst: int
    range_ratio: float
    dead: int


@torch.no_grad()
def channel_spread(weight: Tensor, quantized: Tensor) -> ChannelSpread:
    """Compare a weight with its quantized values, channel by channel.

    Args:
        weight: ``(out_channels, ...)``.
        quantized: The values its codes stand for, of the same shape.

    Raises:
        InputError: If the shapes differ, or there is no value.
    """
    if weight.shape != quantized.shape or weight.numel() == 0:
        raise InputError(
            f"weight and quantized weight must have one shape and hold values, got "
            f"{tuple(weight.shape)} and {tuple(quantized.shape)}"
        )
    before, after = weight.double().flatten(1), quantized.double().flatten(1)
    decibels = _decibels(before, after)
    peaks = before.abs().amax(dim=1)
    middle = peaks.median()
    ratio = float(peaks.max() / middle) if middle > 0 else 1.0
    dead = (peaks > 0) & (after.abs().amax(dim=1) == 0)
    worst = int(decibels.argmin())
    return ChannelSpread(float(decibels[worst]), worst, ratio, int(dead.sum()))


def _decibels(before: Tensor, after: Tensor) -> Tensor:
    """SQNR of each row in dB; infinite where nothing was lost, a row of zeros included."""
    signal, noise = before.square().sum(dim=1), (before - after).square().sum(dim=1)
    return torch.where(noise == 0, torch.inf, 10 * torch.log10(signal / noise))
