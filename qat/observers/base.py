"""What every observer owes its quantizer."""

import torch
from torch import Tensor, nn

from qat.core.grid import IntGrid


class Observer(nn.Module):
    """Collects a tensor's values, slice by slice, and says which range to represent.

    A slice is the set of elements that share one scale (see :class:`qat.core.layout.Layout`).

    Attributes:
        follows_training: True if the range keeps following while a network trains.

    Args:
        slices: Number of scales.
    """

    follows_training = False

    def __init__(self, slices: int) -> None:
        super().__init__()
        self.slices = slices

    @property
    def seen(self) -> bool:
        """True once any value was observed."""
        raise NotImplementedError

    def observe(self, x: Tensor) -> None:
        """Take in values of shape ``(slices, elements)``.

        Raises:
            ValueError: If they hold NaN or infinity.
        """
        if x.shape[1]:
            self.collect(x.detach())

    def collect(self, x: Tensor) -> None:
        """Take in at least one value for each slice; what a subclass defines."""
        raise NotImplementedError

    def range(self, grid: IntGrid, *, symmetric: bool) -> tuple[Tensor, Tensor]:
        """``(rmin, rmax)``, each of shape ``(slices,)``, for codes of that grid."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget everything."""
        raise NotImplementedError


def finite_extremes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest and largest value of each row.

    Raises:
        ValueError: If a row holds NaN or infinity.
    """
    low, high = torch.aminmax(x, dim=1)  # NaN and infinity come through, so checking these is all
    if not bool((torch.isfinite(low) & torch.isfinite(high)).all()):
        raise ValueError(
            "observed values hold NaN or infinity: repair data or weights, or lower the learning "
            "rates if this is training"
        )
    return low, high
