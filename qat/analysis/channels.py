"""Quantization error of each output channel of a weight.

A weight with one scale for all its channels can have a high signal-to-quantization-noise ratio
(SQNR) although some channels lose everything, because the largest values dominate the sums.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from qat.base.errors import InputError


@dataclass(frozen=True)
class ChannelSpread:
    """Output channels of a weight, after quantization.

    Attributes:
        worst_db: Lowest SQNR of a channel, in dB; infinite if no channel has an error.
        worst: Index of that channel.
        range_ratio: Largest ``max|w|`` of a channel, divided by that of the median channel.
        dead: Number of channels that only quantization made zero.
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
        quantized: The decoded values of its codes, of the same shape.

    Raises:
        ValueError: If the shapes differ, or there is no value.

    Example:
        >>> weight = torch.tensor([[8.0, -8.0], [0.5, 0.25]])
        >>> channel_spread(weight, weight.round())
        ChannelSpread(worst_db=0.0, worst=1, range_ratio=16.0, dead=1)
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
    """Return the SQNR of each row in dB; infinite for a row without error."""
    signal, noise = before.square().sum(dim=1), (before - after).square().sum(dim=1)
    return torch.where(noise == 0, torch.inf, 10 * torch.log10(signal / noise))
