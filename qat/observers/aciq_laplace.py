"""Analytical clipping (ACIQ) for values of a Laplace distribution: see :mod:`qat.observers.aciq`.

Its scale ``b`` is the mean distance from the centre: of 0 by the sum of magnitudes, of the mean by
the histogram, to the width of a bin.

Cites: banner2019aciq.
"""

import torch
from torch import Tensor

from qat.observers.aciq import ACIQObserver, laplace_clip
from qat.observers.base import HISTOGRAM, MOMENTS


class ACIQLaplaceObserver(ACIQObserver):
    """The clip of least error of each slice, if its values have a Laplace distribution.

    Args:
        slices: Number of scales.

    Example:
        >>> from qat.core.grid import IntGrid
        >>> observer = ACIQLaplaceObserver(slices=1)
        >>> observer.observe(torch.tensor([[-9.0, -1.0, 1.0, 1.0]]))  # mean magnitude 3
        >>> observer.range(IntGrid(2, signed=True), symmetric=True)[1]  # 3 * 2.8307
        tensor([8.4920])
    """

    needs = (MOMENTS, HISTOGRAM)
    union = "sums"

    def clip(self, bits: int) -> float:
        """``alpha / b``."""
        return laplace_clip(bits)

    def spread(self, centre: Tensor) -> Tensor:
        """Mean distance from ``centre``."""
        around_zero = self.moments.abs_total / self.moments.count
        if bool((centre == 0).all()):
            return around_zero
        values, weights = self.histogram.weighted_values()
        distances = (values - centre.unsqueeze(1)).abs()
        around_centre = (weights * distances).sum(dim=1) / weights.sum(dim=1)
        return torch.where(centre == 0, around_zero, around_centre)

    def spread_of_half(self) -> Tensor:
        """Mean magnitude of the values other than 0."""
        return self.moments.abs_total / self.moments.nonzero.clamp(min=1)
