"""Mean plus and minus some standard deviations.

The rule has no single source; Neural Network Distiller (Zmora et al. 2019, arXiv:1910.12232) calls
it ``N_STD``. As there, the range is never wider than the values:

    rmin = max(min x, mean - k std),   rmax = min(max x, mean + k std)

``std`` is that of all values, so an outlier among ``n`` values widens it by at most ``1 / sqrt(n)``
of its size.

Cites: zmora2019distiller.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.grid import IntGrid
from qat.observers.base import MOMENTS
from qat.observers.statistics import StatisticsObserver


class StdObserver(StatisticsObserver):
    """``mean - k std .. mean + k std`` of each slice, within its smallest and largest value.

    Args:
        slices: Number of scales.
        k: Number of standard deviations on each side, above 0.

    Raises:
        InputError: If ``k`` is not above 0.

    Example:
        >>> observer = StdObserver(slices=1, k=1.0)
        >>> observer.observe(torch.tensor([[0.0, 4.0, 4.0, 8.0]]))  # mean 4, std sqrt(8)
        >>> observer.range(IntGrid(8, signed=False), symmetric=False)
        (tensor([1.1716]), tensor([6.8284]))
    """

    needs = (MOMENTS,)
    union = "sums"

    def __init__(self, slices: int, k: float = 3.0) -> None:
        super().__init__(slices)
        if not 0 < k < float("inf"):
            raise InputError(f"k must be above 0 and finite, got {k}")
        self.k = k

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The range of each slice.

        Args:
            grid: Has no effect.
            symmetric: Has no effect.

        Raises:
            InputError: If nothing was observed.
        """
        low, high = self.extremes()
        reach = self.k * self.moments.variance().sqrt()
        below, above = (self.moments.mean + sign * reach for sign in (-1, 1))
        dtype = torch.get_default_dtype()
        return torch.maximum(low, below.to(low)).to(dtype), torch.minimum(high, above.to(high)).to(
            dtype
        )
