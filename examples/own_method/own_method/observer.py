"""A range of some standard deviations around the mean."""

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.core.processes import total
from qat.observers.minmax import MinMaxObserver


class SigmaObserver(MinMaxObserver):
    """``mean - sigmas * std .. mean + sigmas * std``, but no further than what was seen.

    Args:
        slices: Number of scales.
        sigmas: Standard deviations to each side.

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
        """Add these values; ``total`` adds those of the other processes of a training."""
        super().collect(x)
        values = x.double()
        self.sum += total(values.sum(dim=1))
        self.squares += total(values.square().sum(dim=1))
        self.count += total(torch.tensor(float(x.shape[1]), device=x.device).double())

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The same for every grid."""
        mean = self.sum / self.count
        reach = self.sigmas * (self.squares / self.count - mean.square()).clamp(min=0).sqrt()
        low, high = (mean - reach).to(self.low.dtype), (mean + reach).to(self.low.dtype)
        return torch.maximum(self.low, low), torch.minimum(self.high, high)

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        for buffer in (self.sum, self.squares, self.count):
            buffer.zero_()
