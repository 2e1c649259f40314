"""Granularity: a tensor has one scale, one per channel, or one per group of input channels."""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from qat.base.errors import InputError


@dataclass(frozen=True)
class Layout:
    """The shape of the scales of a tensor, and the elements that share one.

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
        """Layout of a weight ``(out, in, *kernel)``, with channels on ``out``, groups on ``in``.

        Args:
            granularity: ``tensor``, ``channel`` or ``group``.
            shape: Of the weight.
            group_size: Input channels in a group, only for ``group``. If it is larger than
                ``in``, one group contains all, so that the first layer of a network, which has 3
                input channels, can have the same scheme as the others.

        Raises:
            InputError: If ``group_size`` does not divide the number of input channels.
        """
        if granularity == "tensor":
            return cls()
        if granularity == "channel":
            return cls(axis=0, channels=shape[0])
        size = min(group_size or shape[1], shape[1])
        if shape[1] % size:
            raise InputError(
                f"group_size={group_size} does not divide the {shape[1]} input channels of a "
                f"weight of shape {tuple(shape)}: choose a divisor, or a rule for this layer"
            )
        return cls(axis=0, channels=shape[0], groups=shape[1] // size)

    @classmethod
    def of_activation(cls, granularity: str, channels: int) -> "Layout":
        """Layout of an activation ``(batch, channels, *space)``.

        Args:
            granularity: ``tensor`` or ``channel``.
            channels: Length of axis 1.

        Raises:
            InputError: If the granularity is ``group``: only weights have groups.
        """
        if granularity == "group":
            raise InputError("an activation takes granularity tensor or channel, got group")
        return cls() if granularity == "tensor" else cls(axis=1, channels=channels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the scales: ``(1,)``, ``(channels,)`` or ``(channels, groups)``."""
        return (self.channels, self.groups) if self.groups else (self.channels,)

    @property
    def slices(self) -> int:
        """Number of scales."""
        return prod(self.shape)

    def sliced(self, x: Tensor) -> Tensor:
        """``x`` as ``(slices, elements)``, one row per scale; a view unless the axis is inner.

        Example:
            >>> Layout(axis=1, channels=3).sliced(torch.zeros(2, 3, 5, 5)).shape
            torch.Size([3, 50])
        """
        if self.axis is None:
            return _memory_order(x).reshape(1, -1)
        if self.axis == 0 or x.ndim < 2:
            return x.reshape(self.slices, -1)
        return x.movedim(self.axis, 0).reshape(self.channels, -1)

    def beside(self, scale: Tensor, x: Tensor) -> Tensor:
        """The scales, reshaped to broadcast against ``x``.

        Args:
            scale: Of :attr:`shape`, or flat.
            x: The tensor that has this layout.
        """
        ones = [1] * (x.ndim - 1)
        if self.axis is None:
            return scale.reshape(1, *ones)
        if self.groups:
            spread = scale.repeat_interleave(x.shape[1] // self.groups, dim=1)
            return spread.reshape(*x.shape[:2], *ones[1:])
        if self.axis == 0 or x.ndim < 2:
            return scale.reshape(-1, *ones)
        return scale.reshape(1, -1, *ones[1:])

    def unsliced(self, rows: Tensor, like: Tensor) -> Tensor:
        """The inverse of :meth:`sliced`.

        Args:
            rows: ``(slices, elements)``.
            like: Tensor whose shape and memory order the result gets.
        """
        if self.axis is None and _is_channels_last(like):
            batch, channels, *space = like.shape
            return rows.reshape(batch, *space, channels).movedim(-1, 1)
        if self.axis is None or self.axis == 0 or like.ndim < 2:
            return rows.reshape(like.shape)
        moved = like.movedim(self.axis, 0).shape
        return rows.reshape(moved).movedim(0, self.axis)


def _is_channels_last(x: Tensor) -> bool:
    if x.ndim != 4 or x.is_contiguous():
        return False
    return x.is_contiguous(memory_format=torch.channels_last)


def _memory_order(x: Tensor) -> Tensor:
    """With a single scale any order of elements will do: take the one that needs no copy."""
    return x.movedim(1, -1) if _is_channels_last(x) else x
