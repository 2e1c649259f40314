"""The values that each element of a weight may take, for methods that round by columns.

A layer of ``groups`` groups is ``groups`` independent products. Its weight ``(out, in, *kernel)``
is a stack of matrices ``(groups, out / groups, k)``, where ``k = in * kernel size``; a linear layer
and an ordinary convolution have one group, a depthwise convolution has one for each channel.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from qat.core.codebook import Codebook
from qat.core.qparams import QParams
from qat.quantizers.base import Quantizer


@dataclass(frozen=True)
class AffineGrid:
    """Evenly spaced values, ``scale * (code - zero_point)``.

    Attributes:
        scale: ``(groups, out, k)``, double.
        zero_point: ``(groups, out, k)``, double.
        qmin: Smallest code.
        qmax: Largest code.
        parts: Number of scales in a row, each for ``k / parts`` neighbouring columns.
        shared: True if all elements have one scale.
    """

    scale: Tensor
    zero_point: Tensor
    qmin: int
    qmax: int
    parts: int = 1
    shared: bool = False

    def nearest(self, values: Tensor, columns: Tensor) -> Tensor:
        """Codes of the nearest values, ``(groups, out)``, as doubles.

        Args:
            values: ``(groups, out)``.
            columns: Index of the column of each value, ``(groups, out)``.

        Example:
            >>> half = torch.full((1, 1, 2), 0.5, dtype=torch.double)
            >>> grid = AffineGrid(half, torch.zeros_like(half), -4, 3)
            >>> grid.nearest(torch.tensor([[0.8]]), torch.tensor([[1]])).item()
            2.0
        """
        codes = torch.round(values / _at(self.scale, columns)) + _at(self.zero_point, columns)
        return codes.clamp(self.qmin, self.qmax)

    def values(self, codes: Tensor, columns: Tensor) -> Tensor:
        """Values of codes, ``(groups, out)``.

        Args:
            codes: ``(groups, out)``.
            columns: Index of the column of each code, ``(groups, out)``.
        """
        return _at(self.scale, columns) * (codes - _at(self.zero_point, columns))

    def with_scale(self, scale: Tensor) -> "AffineGrid":
        """The same codes with other scales, ``(groups, out, k)``."""
        return replace(self, scale=scale)

    def scales(self, shape: tuple[int, ...]) -> Tensor:
        """One scale for each slice, as :attr:`qat.core.layout.Layout.shape` orders them.

        Args:
            shape: Of the layout.
        """
        first = self.scale[..., :: self.scale.shape[-1] // self.parts]
        return (first.reshape(-1)[:1] if self.shared else first).reshape(shape)


@dataclass(frozen=True)
class TableGrid:
    """The levels of a codebook.

    Attributes:
        levels: ``(groups, out, parts, levels)``, double, ascending.
        columns: Number of columns ``k``.
    """

    levels: Tensor
    columns: int

    def nearest(self, values: Tensor, columns: Tensor) -> Tensor:
        """Indices of the nearest levels, ``(groups, out)``, as doubles; of two the lower.

        Args:
            values: ``(groups, out)``.
            columns: Index of the column of each value, ``(groups, out)``.
        """
        own = self._levels(columns)
        middles = ((own[..., 1:] + own[..., :-1]) / 2).contiguous()
        places = torch.searchsorted(middles, values.unsqueeze(-1).contiguous())
        return places.squeeze(-1).to(own.dtype)

    def values(self, codes: Tensor, columns: Tensor) -> Tensor:
        """Levels of indices, ``(groups, out)``.

        Args:
            codes: ``(groups, out)``.
            columns: Index of the column of each code, ``(groups, out)``.
        """
        return self._levels(columns).gather(-1, codes.long().unsqueeze(-1)).squeeze(-1)

    def _levels(self, columns: Tensor) -> Tensor:
        part = columns // (self.columns // self.levels.shape[2])
        index = part[..., None, None].expand(*part.shape, 1, self.levels.shape[-1])
        return self.levels.gather(2, index).squeeze(2)


WeightGrid = AffineGrid | TableGrid


def grid_of(quantizer: Quantizer, weight: Tensor, groups: int) -> WeightGrid:
    """The values that a quantizer gives to each element of a weight.

    Args:
        quantizer: A calibrated quantizer of the weight.
        weight: ``(out, in, *kernel)``.
        groups: Groups of the layer.
    """
    book = quantizer.codebook()
    if book is not None:
        return _table(book, weight, groups)
    return _affine(quantizer.qparams(), weight, groups)


def matrices(weight: Tensor, groups: int) -> Tensor:
    """A weight ``(out, in, *kernel)`` as doubles ``(groups, out / groups, k)``.

    Args:
        weight: Weight of a layer.
        groups: Groups of the layer.
    """
    return weight.detach().double().reshape(groups, weight.shape[0] // groups, -1)


def _affine(qparams: QParams, weight: Tensor, groups: int) -> AffineGrid:
    layout, grid = qparams.layout, qparams.grid
    scale, zero_point = (
        matrices(layout.beside(each.detach(), weight).expand_as(weight), groups)
        for each in (qparams.scale, qparams.zero_point)
    )
    return AffineGrid(
        scale, zero_point, grid.qmin, grid.qmax, max(layout.groups, 1), layout.axis is None
    )


def _table(book: Codebook, weight: Tensor, groups: int) -> TableGrid:
    out, parts, count = weight.shape[0], max(book.layout.groups, 1), book.values.shape[1]
    levels = book.values.double().reshape(-1, parts, count).expand(out, parts, count)
    return TableGrid(levels.reshape(groups, out // groups, parts, count), weight[0].numel())


def _at(values: Tensor, columns: Tensor) -> Tensor:
    return values.gather(-1, columns.unsqueeze(-1)).squeeze(-1)
