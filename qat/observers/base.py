"""What every observer owes its quantizer."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from qat.core.grid import IntGrid


class Observer(nn.Module):
    """Collects a tensor's values, slice by slice, and says which range to represent.

    A slice is the set of elements that share one scale (see :class:`qat.core.layout.Layout`).

    Attributes:
        follows_training: True if the range keeps following while a network trains.
        statistics_kind: What it collects; observers of one kind may share it. Each class names
            its own, a subclass inherits none: it may collect something else.

    Args:
        slices: Number of scales.
    """

    follows_training = False
    statistics_kind: ClassVar[str | None] = None

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

    def statistics_key(self) -> dict[str, Any] | None:
        """What determines the statistics beside the values; None if they cannot be shared."""
        kind = type(self).__dict__.get("statistics_kind")
        return None if kind is None else {"kind": kind, "slices": self.slices}

    def statistics(self) -> dict[str, Tensor]:
        """What was collected, as tensors by name."""
        return {name: buffer.detach().clone() for name, buffer in self.named_buffers()}

    def load_statistics(self, statistics: Mapping[str, Tensor]) -> None:
        """Take what another observer of this key collected: ranges are then equal, bit for bit."""
        for name, buffer in self.named_buffers():
            buffer.copy_(statistics[name])


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
