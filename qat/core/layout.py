"""Granularity: a tensor has one scale, one per channel, or one per group of input channels."""

from dataclasses import dataclass, field
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
        of_weights: The tensor is a weight, for methods that treat weights and activations
            differently. It says nothing about the scales, and is not compared.

    Example:
        >>> Layout.of_weight("group", (8, 6, 3, 3), group_size=3).shape
        (8, 2)
    """

    axis: int | None = None
    channels: int = 1
    groups: int = 0
    of_weights: bool = field(default=False, compare=False, repr=False)

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
            return cls(of_weights=True)
        if granularity == "channel":
            return cls(axis=0, channels=shape[0], of_weights=True)
        size = min(group_size or shape[1], shape[1])
        if shape[1] % size:
            raise InputError(
                f"group_size={group_size} does not divide the {shape[1]} input channels of a "
                f"weight of shape {tuple(shape)}: choose a divisor, or a rule for this layer"
            )
        return cls(axis=0, channels=shape[0], groups=shape[1] // size, of_weights=True)

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

    def sliced(self, x: Tensor, like: Tensor | None = None) -> Tensor:
        """``x`` as ``(slices, elements)``, one row per scale.

        It is a view of a contiguous or channels-last tensor, except for channels of an activation
        in the contiguous format and groups of a channels-last weight, which need a copy. The order
        of the elements in a row is that of the memory.

        Args:
            x: The tensor that has this layout.
            like: Tensor of the same shape whose order the rows get, so that equal places of both
                results belong together; None takes the order of ``x``.

        Example:
            >>> Layout(axis=1, channels=3).sliced(torch.zeros(2, 3, 5, 5)).shape
            torch.Size([3, 50])
        """
        if self.axis == 1 and x.ndim > 1:
            return x.movedim(1, 0).reshape(self.channels, -1)
        if self._is_permuted(x if like is None else like):
            x = x.movedim(1, -1)
        return x.reshape(self.slices, -1)

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
            like: Tensor whose shape and memory format the result gets.
        """
        if self._is_permuted(like):
            return rows.reshape(like.movedim(1, -1).shape).movedim(-1, 1)
        if self.axis == 1 and like.ndim > 1:
            rows = rows.reshape(like.movedim(1, 0).shape).movedim(0, 1)
        result = rows.reshape(like.shape)
        return result.contiguous(memory_format=format_of(like)) if like.ndim == 4 else result

    def _is_permuted(self, x: Tensor) -> bool:
        """True if rows are taken in the order ``(batch, *space, channels)``, which is no copy."""
        return not self.groups and self.axis != 1 and format_of(x) == torch.channels_last


def format_of(x: Tensor) -> torch.memory_format:
    """The memory format of a tensor: ``torch.channels_last`` or ``torch.contiguous_format``.

    A tensor that is both, such as one with a single channel, counts as contiguous.

    Args:
        x: Tensor of any rank; only those of rank 4 can be channels-last.

    Example:
        >>> format_of(torch.zeros(2, 3, 4, 4).to(memory_format=torch.channels_last))
        torch.channels_last
    """
    if x.ndim != 4 or x.is_contiguous():
        return torch.contiguous_format
    is_last = x.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if is_last else torch.contiguous_format
