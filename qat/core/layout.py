"""How scales lie over a tensor: one for all, one per channel, one per group of input channels."""

from dataclasses import dataclass
from math import prod

from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """The shape of a tensor's scales, and the views in which they broadcast.

    A *slice* is the set of elements that share one scale.

    Attributes:
        axis: Axis with one scale per index; None for a single scale.
        channels: Length of that axis, 1 when ``axis`` is None.
        groups: Groups of axis 1 within each index of axis 0; 0 for none.

    Example:
        >>> Layout.of_weight("group", (8, 6, 3, 3), group_size=3).shape
        (8, 2)
    """

    axis: int | None = None
    channels: int = 1
    groups: int = 0

    @classmethod
    def of_weight(
        cls, granularity: str, shape: tuple[int, ...], group_size: int | None = None
    ) -> "Layout":
        """Layout over a weight ``(out, in, *kernel)``: channels are rows, groups cut ``in``.

        A group larger than the input channels is one group of all of them, so that the first
        layer of a network with 3 input channels can share a scheme with the others.

        Raises:
            ValueError: If ``group_size`` does not divide the input channels.
        """
        if granularity == "tensor":
            return cls()
        if granularity == "channel":
            return cls(axis=0, channels=shape[0])
        size = min(group_size or shape[1], shape[1])
        if shape[1] % size:
            raise ValueError(
                f"group_size={group_size} does not divide the {shape[1]} input channels of a "
                f"weight of shape {tuple(shape)}: choose a divisor, or a rule for this layer"
            )
        return cls(axis=0, channels=shape[0], groups=shape[1] // size)

    @classmethod
    def of_activation(cls, granularity: str, channels: int) -> "Layout":
        """Layout over an activation ``(batch, channels, *space)``.

        Raises:
            ValueError: If asked for groups: those are of a weight's input channels.
        """
        if granularity == "group":
            raise ValueError("an activation takes granularity tensor or channel, got group")
        return cls() if granularity == "tensor" else cls(axis=1, channels=channels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the scales: ``(1,)``, ``(channels,)`` or ``(channels, groups)``."""
        return (self.channels, self.groups) if self.groups else (self.channels,)

    @property
    def slices(self) -> int:
        """Number of scales."""
        return prod(self.shape)

    def blocked(self, x: Tensor) -> Tensor:
        """View in which the scales broadcast; for groups ``(out, groups, in/groups, ...)``."""
        if not self.groups:
            return x
        return x.reshape(self.channels, self.groups, x.shape[1] // self.groups, *x.shape[2:])

    def along(self, scale: Tensor, ndim: int) -> Tensor:
        """The scales, shaped to broadcast against ``blocked(x)`` of an ``ndim``-rank ``x``."""
        if self.axis is None:
            return scale
        if self.groups:
            return scale.reshape(self.channels, self.groups, *([1] * (ndim - 1)))
        axis = self.axis if ndim > 1 else 0
        return scale.reshape([-1 if i == axis else 1 for i in range(ndim)])

    def sliced(self, x: Tensor) -> Tensor:
        """``(slices, elements)``: one row for each scale."""
        if self.axis is None:
            return x.reshape(1, -1)
        if self.groups:
            return self.blocked(x).reshape(self.slices, -1)
        return x.movedim(self.axis, 0).reshape(self.channels, -1)
