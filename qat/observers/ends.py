"""The widest range of a grid that data can need, which some observers shrink by one factor."""

import torch
from torch import Tensor

from qat.core.grid import IntGrid


def widest(low: Tensor, high: Tensor, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
    """Ends ``low <= 0 <= high`` between which a grid represents every value it can.

    Both ends of a symmetric signed grid are equally far from 0. A symmetric unsigned grid begins
    at 0, so negative values do not count there.

    Args:
        low: ``(slices,)``, smallest value.
        high: ``(slices,)``, largest value.
        grid: The codes.
        symmetric: Fix the zero point at 0.

    Example:
        >>> low, high = torch.tensor([-3.0]), torch.tensor([2.0])
        >>> widest(low, high, IntGrid(4, signed=True), symmetric=True)
        (tensor([-3.]), tensor([3.]))
    """
    low, high = low.clamp(max=0), high.clamp(min=0)
    if not symmetric:
        return low, high
    if grid.signed:
        largest = torch.maximum(-low, high)
        return -largest, largest
    return torch.zeros_like(high), high
