"""Mean magnitude, from which learned step size quantization (LSQ) computes its first step.

Esser et al. 2020, arXiv:1902.08153, section 2.1: step = 2 mean|v| / sqrt(qmax). The range is
``0 .. qmax * step``, for which a symmetric quantizer has exactly this step.

Cites: esser2020lsq.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from qat.core.grid import IntGrid
from qat.core.processes import number_in_all, total
from qat.observers.base import MOMENTS, Observer, batch_extremes
from qat.observers.moments import abs_sums


class MeanAbsObserver(Observer):
    """Range from the mean of ``|v|`` over all values of each slice.

    Args:
        slices: Number of scales.

    Example:
        >>> observer = MeanAbsObserver(slices=1)
        >>> observer.observe(torch.tensor([[-1.0, 2.0]]))
        >>> observer.range(IntGrid(3, signed=False), symmetric=True)[1] / 7  # 2 * 1.5 / sqrt(7)
        tensor([1.1339])
    """

    needs = (MOMENTS,)
    union = "sums"
    total: Tensor
    count: Tensor

    def __init__(self, slices: int) -> None:
        super().__init__(slices)
        self.register_buffer("total", torch.zeros(slices, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @property
    def seen(self) -> bool:
        """True after any value was observed."""
        return bool(self.count > 0)

    def collect(self, x: Tensor) -> None:
        """Add the values to the sums.

        Raises:
            InputError: If the values contain NaN or infinity.
        """
        low, _ = batch_extremes(x)
        self.total += total(abs_sums(x, low))
        self.count += number_in_all(x.shape[1], x.device)

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """``(0, 2 mean|v| sqrt(qmax))`` of each slice.

        Args:
            grid: Gives ``qmax``.
            symmetric: Has no effect.
        """
        high = (2 * self.total / self.count * grid.qmax**0.5).to(torch.get_default_dtype())
        return torch.zeros_like(high), high

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Take sum and number of values from the moments, see the base."""
        self.total.copy_(statistics["abs_total"])
        self.count.copy_(statistics["count"])

    def reset(self) -> None:
        """Delete the statistics."""
        self.total.zero_()
        self.count.zero_()
