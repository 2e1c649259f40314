"""Mean magnitude, from which LSQ takes its published start.

Esser et al. 2020, arXiv:1902.08153, section 2.1: step = 2 mean|v| / sqrt(qmax). Given as the
range ``qmax * step``, so that a symmetric quantizer gets just that step back.
"""

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.core.processes import total
from qat.observers.base import Observer, batch_extremes


class MeanAbsObserver(Observer):
    """Mean of ``|v|`` over all values of each slice."""

    statistics_kind = "mean_abs"
    union = "sums"
    total: Tensor
    count: Tensor

    def __init__(self, slices: int) -> None:
        super().__init__(slices)
        self.register_buffer("total", torch.zeros(slices, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @property
    def seen(self) -> bool:
        """True once any value was observed."""
        return bool(self.count > 0)

    def collect(self, x: Tensor) -> None:
        """Add these values to the sums."""
        batch_extremes(x)
        self.total += total(x.abs().sum(dim=1, dtype=torch.float64))
        self.count += total(torch.tensor(x.shape[1], device=x.device))

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """``(0, 2 mean|v| sqrt(qmax))``."""
        high = (2 * self.total / self.count * grid.qmax**0.5).to(torch.get_default_dtype())
        return torch.zeros_like(high), high

    def reset(self) -> None:
        """Forget everything."""
        self.total.zero_()
        self.count.zero_()
