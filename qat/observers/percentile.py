"""The range between two percentiles, which clips a small share of values at each end.

Wu et al. 2020, arXiv:2004.09602 (percentile calibration).

Differs from the report: each end clips this share of the values. A one-sided tensor (the output
of a ReLU) is clipped at its upper end only, so it loses the share once; a two-sided tensor twice.

Cites: wu2020integer.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.grid import IntGrid
from qat.observers.base import HISTOGRAM
from qat.observers.statistics import StatisticsObserver


class PercentileObserver(StatisticsObserver):
    """Range between the ``100 - percentile`` and the ``percentile`` percentiles.

    Args:
        slices: Number of scales.
        percentile: In percent, above 50, at most 100.

    Raises:
        InputError: If ``percentile`` is not in (50, 100].

    Example:
        >>> observer = PercentileObserver(slices=1, percentile=75)
        >>> observer.observe(torch.arange(1.0, 101.0)[None])
        >>> observer.range(IntGrid(8, signed=False), symmetric=False)
        (tensor([26.]), tensor([75.]))
    """

    needs = (HISTOGRAM,)
    union = "sums"

    def __init__(self, slices: int, percentile: float = 99.99) -> None:
        super().__init__(slices)
        if not 50 < percentile <= 100:
            raise InputError(f"percentile must be above 50, at most 100, got {percentile}")
        self.percentile = percentile

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The two percentiles of each slice, to the width of a bin.

        Args:
            grid: Has no effect.
            symmetric: Has no effect.

        Raises:
            InputError: If nothing was observed.
        """
        values, weights = self.histogram.weighted_values()
        share = weights.cumsum(dim=1) / weights.sum(dim=1, keepdim=True)
        low = _first_where(share > 1 - self.percentile / 100, values)
        high = _first_where(share >= self.percentile / 100, values)
        dtype = torch.get_default_dtype()
        return low.to(dtype), torch.maximum(low, high).to(dtype)


def _first_where(condition: Tensor, values: Tensor) -> Tensor:
    """Value of each row at its first true column, or at the last column if none is true."""
    index = torch.where(condition.any(dim=1), condition.int().argmax(dim=1), condition.shape[1] - 1)
    return values.gather(1, index.unsqueeze(1)).squeeze(1)
