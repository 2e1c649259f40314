"""Analytical clipping (ACIQ): the best clip of a known distribution.

Banner et al., "Post training 4-bit quantization of convolutional networks for rapid-deployment",
NeurIPS 2019, arXiv:1810.05723, section 2 and its supplement. A value is clipped to ``alpha`` on
either side of the mean, and this interval has ``2^M`` steps. Mean square error of rounding and of
clipping together:

    Laplace, scale b       alpha^2 / (3 * 4^M) + 2 b^2 exp(-alpha / b)
    Gauss, deviation s     alpha^2 / (3 * 4^M) + 2 ((s^2 + alpha^2) Q(t) - alpha s phi(t))

with ``t = alpha / s``, ``phi`` the density of the normal distribution and ``Q`` its upper tail.
The derivative is 0 where

    Laplace    y = alpha / b:    y exp(y) = 3 * 4^M
    Gauss      t = alpha / s:    t / (6 * 4^M) = phi(t) - t Q(t)

These are solved here by Newton's iteration; no table is used. After a ReLU only the positive half
is left: an interval ``0 .. alpha`` of ``2^M`` steps has the steps of ``-alpha .. alpha`` with one
bit more, so its clip is that of ``M + 1`` bits (the supplement's fused ReLU).

Differs from the paper: there the spread of a ReLU's input is known, here it is that of the output's
values other than 0, which equals it for an input of mean 0.

Cites: banner2019aciq.
"""

import math
from functools import cache

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.observers.ends import widest
from qat.observers.statistics import StatisticsObserver

_ITERATIONS = 60


@cache
def laplace_clip(bits: int) -> float:
    """``alpha / b`` of least error for a Laplace distribution.

    Args:
        bits: ``M``, 1 or more.

    Example:
        >>> round(laplace_clip(4), 4)
        5.0286
    """
    target, y = math.log(3 * 4.0**bits), 1.0
    for _ in range(_ITERATIONS):
        y -= (y + math.log(y) - target) / (1 + 1 / y)
    return y


@cache
def gauss_clip(bits: int) -> float:
    """``alpha / s`` of least error for a normal distribution.

    Args:
        bits: ``M``, 1 or more.

    Example:
        >>> round(gauss_clip(4), 4)
        2.5591
    """
    noise, t = 1 / (6 * 4.0**bits), 0.0
    for _ in range(_ITERATIONS):
        tail = math.erfc(t / math.sqrt(2)) / 2
        density = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
        t -= (noise * t - density + t * tail) / (noise + tail)
    return t


class ACIQObserver(StatisticsObserver):
    """Clip of least error; a subclass names the distribution by :meth:`clip` and :meth:`spread`.

    The interval is around the mean where the zero point is free, and around 0 where it is not. Of
    values of one sign, those other than 0 are one half of the distribution. The range is never
    wider than the values.
    """

    def clip(self, bits: int) -> float:
        """The clip in units of the spread, for ``2^bits`` steps between both clips.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def spread(self, centre: Tensor) -> Tensor:
        """Spread of all values of each slice around ``centre``.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def spread_of_half(self) -> Tensor:
        """Spread around 0 of the values other than 0, of each slice.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The clips of each slice.

        Args:
            grid: The codes that will represent it.
            symmetric: True if the zero point is fixed at 0.

        Raises:
            InputError: If nothing was observed.
        """
        low, high = self.extremes()
        is_half = (low >= 0) | (high <= 0)
        mean = self.moments.mean
        centre = torch.zeros_like(mean) if symmetric else torch.where(is_half, 0.0, mean)
        spread = torch.where(is_half, self.spread_of_half(), self.spread(centre))
        # Without codes for the other sign, the steps are those of one bit more.
        has_more = is_half & (not (symmetric and grid.signed)) | (symmetric and not grid.signed)
        reach = spread * torch.where(has_more, self.clip(grid.bits + 1), self.clip(grid.bits))
        low, high = (end.double() for end in widest(low, high, grid, symmetric=symmetric))
        low = torch.maximum(low, centre - reach).clamp(max=0)
        high = torch.minimum(high, centre + reach).clamp(min=0)
        dtype = torch.get_default_dtype()
        return low.to(dtype), high.to(dtype)
