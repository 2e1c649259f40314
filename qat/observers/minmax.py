"""The range from the smallest to the largest value, of all batches or of the last one."""

from collections.abc import Mapping

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.observers.base import EXTREMES, Observer, batch_extremes


class MinMaxObserver(Observer):
    """Smallest and largest value of each slice over all batches.

    No value is clipped, and a single outlier determines the scale.

    Args:
        slices: Number of scales.

    Example:
        >>> observer = MinMaxObserver(slices=1)
        >>> observer.observe(torch.tensor([[-1.0, 2.0]]))
        >>> observer.observe(torch.tensor([[0.5, 3.0]]))
        >>> observer.range(IntGrid(8, signed=True), symmetric=True)
        (tensor([-1.]), tensor([3.]))
    """

    needs = ()
    union = "extremes"
    low: Tensor
    high: Tensor

    def __init__(self, slices: int) -> None:
        super().__init__(slices)
        self.register_buffer("low", torch.full((slices,), torch.inf))
        self.register_buffer("high", torch.full((slices,), -torch.inf))

    @property
    def seen(self) -> bool:
        """True after any value was observed."""
        return bool((self.low <= self.high).all())

    def collect(self, x: Tensor) -> None:
        """Widen the range to contain this batch.

        Raises:
            InputError: If the values contain NaN or infinity.
        """
        self.follow(*batch_extremes(x))

    def follow(self, low: Tensor, high: Tensor) -> None:
        """Change the range by the extremes of one batch; here, widen it to contain them.

        Args:
            low: Smallest value of each slice.
            high: Largest value of each slice.
        """
        self.low.copy_(torch.minimum(self.low, low))
        self.high.copy_(torch.maximum(self.high, high))

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Follow the extremes of each batch, see the base."""
        self.reset()
        for low, high in statistics[EXTREMES]:
            self.follow(low, high)

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The extremes of each slice.

        Args:
            grid: Has no effect.
            symmetric: Has no effect.
        """
        return self.low.clone(), self.high.clone()

    def reset(self) -> None:
        """Delete the statistics."""
        self.low.fill_(torch.inf)
        self.high.fill_(-torch.inf)


class LatestObserver(MinMaxObserver):
    """Smallest and largest value of each slice of the last batch, for weights in training."""

    follows_training = True
    needs = ()
    union = "extremes"

    def follow(self, low: Tensor, high: Tensor) -> None:
        """Replace the range by that of this batch.

        Args:
            low: Smallest value of each slice.
            high: Largest value of each slice.
        """
        self.low.copy_(low)
        self.high.copy_(high)
