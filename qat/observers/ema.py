"""Exponential moving average of batch extremes.

Jacob et al. 2018, arXiv:1712.05877, section 3.1, smooth activation ranges over training steps:

    r <- r + momentum * (r_batch - r)

Differs from the paper: the average starts at the first batch, not at 0; every batch has the same
weight, whatever its size; tensors that share a scale are one batch, whose extremes are those of
their union.

Cites: jacob2018integer.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.observers.minmax import MinMaxObserver


class EMAObserver(MinMaxObserver):
    """Range from moving averages of the extremes of each slice.

    Args:
        slices: Number of scales.
        momentum: Weight of the newest batch, in (0, 1].

    Raises:
        InputError: If ``momentum`` is not in (0, 1].

    Example:
        >>> from qat.core.grid import IntGrid
        >>> observer = EMAObserver(slices=1, momentum=0.5)
        >>> for high in (1.0, 3.0):
        ...     observer.observe(torch.tensor([[0.0, high]]))
        >>> observer.range(IntGrid(8, signed=False), symmetric=True)
        (tensor([0.]), tensor([2.]))
    """

    follows_training = True
    needs = ()
    union = "extremes"

    def __init__(self, slices: int, momentum: float = 0.1) -> None:
        super().__init__(slices)
        if not 0 < momentum <= 1:
            raise InputError(f"momentum must be in (0, 1], got {momentum}")
        self.momentum = momentum

    def follow(self, low: Tensor, high: Tensor) -> None:
        """Move the range towards the extremes of one batch.

        Args:
            low: Smallest value of each slice.
            high: Largest value of each slice.
        """
        first = self.low > self.high
        self.low.copy_(torch.where(first, low, self.low + self.momentum * (low - self.low)))
        self.high.copy_(torch.where(first, high, self.high + self.momentum * (high - self.high)))
