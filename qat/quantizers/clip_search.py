"""The clip of least square error for levels that are multiples of it.

The same search as in :mod:`qat.observers.mse`, for levels without a common step: factors of the
largest magnitude in equal steps, then more finely around the best so far.
"""

import torch
from torch import Tensor

from qat.core.codebook import nearest

_COARSE, _FINE = 80, 8
_FINE_WIDTHS = (0.1, 0.01)


def least_square_clip(values: Tensor, weights: Tensor, levels: Tensor) -> Tensor:
    """Clip of least ``sum(weights * (values - clip * nearest level)^2)`` in each row.

    Args:
        values: ``(slices, n)``.
        weights: ``(slices, n)``, how often each value occurs.
        levels: ``(levels,)``, ascending, the largest magnitude 1.

    Returns:
        ``(slices,)``; 1 for a row of zeros.

    Example:
        >>> levels = torch.tensor([-1.0, 0.0, 1.0])
        >>> values = torch.tensor([[-2.0, 0.1, 2.0, 2.0]])
        >>> round(float(least_square_clip(values, torch.ones(1, 4), levels)), 2)
        2.0
    """
    values = torch.where(weights > 0, values, 0.0)
    largest = values.abs().amax(dim=1)
    best = torch.where(largest > 0, largest, 1.0)
    least = _error(values, weights, levels, best)
    coarse = [i / _COARSE for i in range(1, _COARSE + 1)]
    fine = [[1 + w * i / _FINE for i in range(-_FINE, _FINE + 1) if i] for w in _FINE_WIDTHS]
    for factors in (coarse, *fine):
        centre = best
        for factor in factors:
            error = _error(values, weights, levels, centre * factor)
            better = error < least
            least = torch.where(better, error, least)
            best = torch.where(better, centre * factor, best)
    return best


def _error(values: Tensor, weights: Tensor, levels: Tensor, clip: Tensor) -> Tensor:
    table = clip.unsqueeze(1) * levels.to(values)
    rounded = table.gather(1, nearest(values, table).long())
    return (rounded - values).square_().mul_(weights).sum(dim=1)
