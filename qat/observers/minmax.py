"""The range that held everything seen so far."""

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.observers.base import Observer, batch_extremes


class MinMaxObserver(Observer):
    """Smallest and largest value of each slice over all batches.

    Clips nothing; one outlier sets the scale.
    """

    statistics_kind = "minmax"
    union = "extremes"
    low: Tensor
    high: Tensor

    def __init__(self, slices: int) -> None:
        super().__init__(slices)
        self.register_buffer("low", torch.full((slices,), torch.inf))
        self.register_buffer("high", torch.full((slices,), -torch.inf))

    @property
    def seen(self) -> bool:
        """True once any value was observed."""
        return bool((self.low <= self.high).all())

    def collect(self, x: Tensor) -> None:
        """Widen the range to hold these values."""
        low, high = batch_extremes(x)
        self.low.copy_(torch.minimum(self.low, low))
        self.high.copy_(torch.maximum(self.high, high))

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The extremes, whatever the grid."""
        return self.low.clone(), self.high.clone()

    def reset(self) -> None:
        """Forget everything."""
        self.low.fill_(torch.inf)
        self.high.fill_(-torch.inf)


class LatestObserver(MinMaxObserver):
    """The extremes of the last batch alone: what follows a weight while it trains."""

    follows_training = True
    statistics_kind = "latest"
    union = "extremes"

    def collect(self, x: Tensor) -> None:
        """Replace the range."""
        low, high = batch_extremes(x)
        self.low.copy_(low)
        self.high.copy_(high)
