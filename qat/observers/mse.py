"""The range of least mean square error (MSE) between values and quantized values.

A wide range rounds coarsely, a narrow range clips. The best range is between them, and is searched
for on the grid that will be used (Sung et al. 2015, arXiv:1511.06488; Banner et al. 2019,
arXiv:1810.05723, solve the same trade-off for known distributions).

The search multiplies the min-max range by factors: first in equal steps, then more finely around
the best so far. With a fixed zero point both ends have the same factor. With a free one, pairs of
factors follow, and then each end alone, since an outlier at one end does not say where the other is
best. The min-max range is one of the candidates, so the result is never worse than it.

Cites: sung2015resiliency, banner2019aciq.
"""

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.core.qparams import qparams_from_range
from qat.observers.base import HISTOGRAM
from qat.observers.pieces import ELEMENTS
from qat.observers.statistics import StatisticsObserver

_COARSE, _FINE = 80, 16
_PAIRED = 10
"""Steps of each end in the search of pairs; the fine steps go on from the best pair."""
_HALVINGS = 5
"""Of the smallest even step, for huge outliers: down to the width of a bin of the histogram."""
_FINE_WIDTHS = (0.1, 0.01)


class MSEObserver(StatisticsObserver):
    """Range of least mean square error of each slice.

    Args:
        slices: Number of scales.

    Example:
        >>> observer = MSEObserver(slices=1)
        >>> observer.observe(torch.cat([torch.linspace(-1, 1, 999), torch.tensor([9.0])])[None])
        >>> observer.range(IntGrid(2, signed=True), symmetric=True)[1] < 2  # the outlier is clipped
        tensor([True])
    """

    needs = (HISTOGRAM,)
    union = "sums"

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The best range of each slice.

        Args:
            grid: The codes that will represent it.
            symmetric: True if the zero point is fixed at 0.

        Raises:
            InputError: If nothing was observed.
        """
        values, weights = self.histogram.weighted_values()
        low, high = least_square_range(values, weights, grid, symmetric=symmetric)
        dtype = torch.get_default_dtype()
        return low.to(dtype), high.to(dtype)


def least_square_range(
    values: Tensor, weights: Tensor, grid: IntGrid, *, symmetric: bool
) -> tuple[Tensor, Tensor]:
    """Range of least ``sum(weights * (values - quantized)^2)`` in each row.

    Args:
        values: ``(slices, n)``.
        weights: ``(slices, n)``, how often each value occurs; 0 for a value that does not.
        grid: The codes.
        symmetric: Fix the zero point at 0.

    Returns:
        ``(rmin, rmax)``, each ``(slices,)``.
    """
    occurs = weights > 0
    low = torch.where(occurs, values, torch.inf).amin(dim=1).clamp(max=0)
    high = torch.where(occurs, values, -torch.inf).amax(dim=1).clamp(min=0)
    search = _RangeSearch(values, weights, grid, symmetric, low, high)
    search.over(_coarse_steps(), shrink_low=True, shrink_high=True)
    if not symmetric:
        search.pairs_over([i / _PAIRED for i in range(_PAIRED + _PAIRED // 4)])
        search.ends_over(_coarse_steps())
    for width in _FINE_WIDTHS:
        search.over(_fine_steps(width), shrink_low=True, shrink_high=True)
    if not symmetric:
        for width in (0.25, *_FINE_WIDTHS):
            search.over(_fine_steps(width), shrink_low=True, shrink_high=False)
            search.over(_fine_steps(width), shrink_low=False, shrink_high=True)
    return search.low, search.high


def square_error(
    values: Tensor, weights: Tensor, low: Tensor, high: Tensor, grid: IntGrid, symmetric: bool
) -> Tensor:
    """``sum(weights * (quantized - values)^2)`` of each row.

    Args:
        values: ``(slices, n)``.
        weights: ``(slices, n)``.
        low: ``(..., slices)``, smallest value that is represented.
        high: ``(..., slices)``, largest value that is represented.
        grid: The codes.
        symmetric: Fix the zero point at 0.

    Example:
        >>> values, ones = torch.tensor([[0.4, 1.0, 5.0]]), torch.ones(1, 3)
        >>> low, high, grid = torch.zeros(1), torch.tensor([3.0]), IntGrid(2, signed=False)
        >>> square_error(values, ones, low, high, grid, True)  # 0.4^2 + 0 + 2^2
        tensor([4.1600])
    """
    scale, zero_point = qparams_from_range(low, high, grid, symmetric=symmetric)
    scale, zero_point = scale.unsqueeze(-1), zero_point.unsqueeze(-1)
    codes = (values / scale).round_().add_(zero_point).clamp_(grid.qmin, grid.qmax)
    return codes.sub_(zero_point).mul_(scale).sub_(values).square_().mul_(weights).sum(dim=-1)


class _RangeSearch:
    """The best range so far of each slice, and its error."""

    def __init__(
        self,
        values: Tensor,
        weights: Tensor,
        grid: IntGrid,
        symmetric: bool,
        low: Tensor,
        high: Tensor,
    ) -> None:
        self.data, self.grid, self.symmetric = (values, weights), grid, symmetric
        self.low, self.high = self.ends = low, high
        self.error = self._error(low, high)

    def over(self, factors: list[float], *, shrink_low: bool, shrink_high: bool) -> None:
        """Multiply the best range so far by each factor, and keep the best product.

        Args:
            factors: Factors to try.
            shrink_low: Multiply the lower end.
            shrink_high: Multiply the upper end.
        """
        low, high = self.low, self.high
        for part in self._parts(factors):
            lows = low * part if shrink_low else low.expand(len(part), -1)
            highs = high * part if shrink_high else high.expand(len(part), -1)
            self._keep_best(lows, highs)

    def ends_over(self, factors: list[float]) -> None:
        """Multiply each end of the first range by each factor, beside the other end as it is best.

        Args:
            factors: Factors to try.
        """
        low, high = self.ends
        for part in self._parts(factors):
            self._keep_best(low * part, self.high.expand(len(part), -1))
        for part in self._parts(factors):
            self._keep_best(self.low.expand(len(part), -1), high * part)

    def pairs_over(self, factors: list[float]) -> None:
        """Multiply the ends of the first range by each pair of factors.

        Args:
            factors: Factors to try.
        """
        (low, high), parts = self.ends, self._parts(factors)
        for factor in factors:
            for part in parts:
                self._keep_best((low * factor).expand(len(part), -1), high * part)

    def _parts(self, factors: list[float]) -> tuple[Tensor, ...]:
        """The factors as columns, as many at once as leave the values in a CPU's cache."""
        column = torch.tensor(factors, dtype=self.low.dtype, device=self.low.device).unsqueeze(1)
        return column.split(max(1, ELEMENTS // max(self.data[0].numel(), 1)))

    def _keep_best(self, lows: Tensor, highs: Tensor) -> None:
        """Of ranges ``(tried, slices)`` the first of least error, if it is better than the best."""
        errors = self._error(lows, highs)
        errors = torch.where(errors.isnan(), torch.inf, errors)
        error = errors.amin(dim=0, keepdim=True)
        order = torch.arange(len(errors), device=errors.device).unsqueeze(1)
        first = torch.where(errors == error, order, len(errors)).amin(dim=0, keepdim=True)
        better = error[0] < self.error
        self.error = torch.where(better, error[0], self.error)
        self.low = torch.where(better, lows.gather(0, first)[0], self.low)
        self.high = torch.where(better, highs.gather(0, first)[0], self.high)

    def _error(self, low: Tensor, high: Tensor) -> Tensor:
        return square_error(*self.data, low, high, self.grid, self.symmetric)


def _coarse_steps() -> list[float]:
    # Also above 1: on a signed symmetric grid the code qmin lies one step outside the range.
    even = [i / _COARSE for i in range(1, _COARSE + _COARSE // 4)]
    return even + [0.5**halving / _COARSE for halving in range(1, _HALVINGS + 1)]


def _fine_steps(width: float) -> list[float]:
    """Factors within ``1 ± width``, which multiply the best range so far."""
    return [1 + width * i / _FINE for i in range(-_FINE, _FINE + 1) if i]
