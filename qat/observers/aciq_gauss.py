"""Analytical clipping (ACIQ) for values of a normal distribution: see :mod:`qat.observers.aciq`.

Cites: banner2019aciq.
"""

from torch import Tensor

from qat.observers.aciq import ACIQObserver, gauss_clip
from qat.observers.base import MOMENTS


class ACIQGaussObserver(ACIQObserver):
    """The clip of least error of each slice, if its values have a normal distribution.

    Args:
        slices: Number of scales.

    Example:
        >>> import torch
        >>> from qat.core.grid import IntGrid
        >>> observer = ACIQGaussObserver(slices=1)
        >>> observer.observe(torch.tensor([[-9.0, -1.0, 1.0, 9.0]]))  # mean square 41
        >>> observer.range(IntGrid(2, signed=True), symmetric=True)[1] / 41**0.5 < 1.7
        tensor([True])
    """

    needs = (MOMENTS,)
    union = "sums"

    def clip(self, bits: int) -> float:
        """``alpha / s``."""
        return gauss_clip(bits)

    def spread(self, centre: Tensor) -> Tensor:
        """Standard deviation around ``centre``."""
        moments = self.moments
        return (moments.variance() + (moments.mean - centre).square()).sqrt()

    def spread_of_half(self) -> Tensor:
        """Root mean square of the values other than 0."""
        moments = self.moments
        squares = moments.m2 + moments.count * moments.mean.square()
        return (squares / moments.nonzero.clamp(min=1)).sqrt()
