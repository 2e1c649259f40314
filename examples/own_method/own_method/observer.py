"""An observer whose range is the mean plus and minus some standard deviations."""

import torch
from torch import Tensor

from qat.extend import IntGrid, MinMaxObserver, total


class SigmaObserver(MinMaxObserver):
    """``mean - sigmas * std .. mean + sigmas * std``, within the smallest and largest value seen.

    Args:
        slices: Number of scales.
        sigmas: Number of standard deviations on each side.

    Raises:
        ValueError: If ``sigmas`` is not above 0.
    """

    sum: Tensor
    squares: Tensor
    count: Tensor

    def __init__(self, slices: int, sigmas: float = 3.0) -> None:
        super().__init__(slices)
        if not sigmas > 0:
            raise ValueError(f"sigmas must be above 0, got {sigmas}")
        self.sigmas = sigmas
        for name in ("sum", "squares"):
            self.register_buffer(name, torch.zeros(slices, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    def collect(self, x: Tensor) -> None:
        """Add a batch of values, shape ``(slices, values)``.

        ``total`` sums over the processes of a distributed training.
        """
        super().collect(x)
        values = x.double()
        self.sum += total(values.sum(dim=1))
        self.squares += total(values.square().sum(dim=1))
        self.count += total(torch.tensor(float(x.shape[1]), device=x.device).double())

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The range; it does not depend on the grid."""
        mean = self.sum / self.count
        reach = self.sigmas * (self.squares / self.count - mean.square()).clamp(min=0).sqrt()
        low, high = (mean - reach).to(self.low.dtype), (mean + reach).to(self.low.dtype)
        return torch.maximum(self.low, low), torch.minimum(self.high, high)

    def reset(self) -> None:
        """Remove all statistics."""
        super().reset()
        for buffer in (self.sum, self.squares, self.count):
            buffer.zero_()
