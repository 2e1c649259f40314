"""A table of values that codes index, for quantizers whose steps are not all equal.

code = argmin_i |x - values[i]|,    r = values[code]
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.checks import require
from qat.core.grid import MAX_BITS
from qat.core.layout import Layout

MAX_LEVELS = 1 << MAX_BITS
_MOST_COMPARED = 8  # with more ends a binary search takes less time


@dataclass(frozen=True, eq=False)
class Codebook:
    """The levels of each slice of a tensor, in ascending order.

    Halfway between two levels a value takes the lower one. Zero need not be a level.

    Attributes:
        values: ``(slices, levels)``, float32, in the unit of the tensor.
        layout: How the slices divide the tensor.
        unit: ``(levels,)``, float32, if each slice has these levels times a scale; else None.
        scale: ``(slices,)``, float32, those scales; None without ``unit``.

    Raises:
        InputError: If the values have another shape or dtype, are not finite, do not ascend, or
            are fewer than 2 or more than 65,536 in a slice.

    Example:
        >>> Codebook(torch.tensor([[-1.0, 0.0, 4.0]])).bits
        2
    """

    values: Tensor
    layout: Layout = field(default_factory=Layout)
    unit: Tensor | None = None
    scale: Tensor | None = None

    def __post_init__(self) -> None:
        """Refuse tables that cannot be searched or stored."""
        shape = tuple(self.values.shape)
        slices = self.layout.slices
        if len(shape) != 2 or shape[0] != slices or not 2 <= shape[1] <= MAX_LEVELS:
            raise InputError(
                f"a codebook must have shape ({slices}, 2..{MAX_LEVELS}), got {shape}: give "
                f"one row of levels for each of the {slices} slices"
            )
        if self.values.dtype != torch.float32:
            raise InputError(f"levels must be float32, got {self.values.dtype}: convert them")
        if not bool(torch.isfinite(self.values).all()):
            raise InputError(
                "levels must be finite, got NaN or infinity: find where they first appear"
            )
        if bool((self.values.diff(dim=1) < 0).any()):
            raise InputError("levels must ascend in each slice: sort each row")

    @classmethod
    def scaled(cls, unit: Tensor, scale: Tensor, layout: Layout) -> "Codebook":
        """Levels that are the same in all slices but for a scale, ``scale[i] * unit[j]``.

        Args:
            unit: ``(levels,)``, ascending.
            scale: One for each slice, of any shape, 0 or more.
            layout: How the slices divide the tensor.

        Raises:
            InputError: If the unit levels are not one row, or the products are no codebook.

        Example:
            >>> Codebook.scaled(torch.tensor([-1.0, 1.0]), torch.tensor([3.0]), Layout()).values
            tensor([[-3.,  3.]])
        """
        if unit.ndim != 1:
            raise InputError(f"unit levels must be one row, got the shape {tuple(unit.shape)}")
        unit, scale = unit.detach().float(), scale.detach().float().reshape(-1)
        return cls(scale.unsqueeze(1) * unit, layout, unit, scale)

    @property
    def bits(self) -> int:
        """Width of a code: ``ceil(log2(levels))``."""
        return (self.values.shape[1] - 1).bit_length()

    def encode(self, x: Tensor) -> Tensor:
        """Index of the nearest level (int32, same shape); infinities get the outermost level.

        Raises:
            InputError: If ``x`` contains NaN, which has no code.

        Example:
            >>> book = Codebook(torch.tensor([[-1.0, 0.0, 4.0]]))
            >>> book.encode(torch.tensor([-0.4, 2.1, 99.0])).tolist()
            [1, 2, 2]
        """
        require(~torch.isnan(x).any(), "NaN has no code: find where the values became NaN")
        return self.layout.unsliced(nearest(self.layout.sliced(x), self.values), x)

    def decode(self, codes: Tensor) -> Tensor:
        """Levels of indices, float32."""
        rows = self.layout.sliced(codes).long()
        return self.layout.unsliced(self.values.gather(1, rows), codes)


def nearest(rows: Tensor, levels: Tensor) -> Tensor:
    """Index of the level that is nearest to each value, the lower one of two; any for NaN.

    Args:
        rows: ``(slices, n)``.
        levels: ``(slices, levels)``, ascending.

    Returns:
        int32, ``(slices, n)``.

    Example:
        >>> nearest(torch.tensor([[0.4, 0.5, 9.0]]), torch.tensor([[0.0, 1.0]])).tolist()
        [[0, 0, 1]]
    """
    wide = levels.double()  # in float32 the midpoint of two levels can equal one of them
    return number_above((wide[:, 1:] + wide[:, :-1]) / 2, rows, or_at=False)


def number_above(ends: Tensor, rows: Tensor, *, or_at: bool) -> Tensor:
    """How many of the ends of its row each value lies above; any number for NaN.

    Args:
        ends: ``(slices, ends)``, ascending, float64.
        rows: ``(slices, n)``.
        or_at: Count an end that equals the value.

    Returns:
        int32, ``(slices, n)``.

    Example:
        >>> number_above(torch.tensor([[0.0, 1.0]]).double(), torch.tensor([[1.0]]), or_at=True)
        tensor([[2]], dtype=torch.int32)
    """
    if ends.shape[1] > _MOST_COMPARED:
        values = rows.double().contiguous()
        return torch.searchsorted(ends.contiguous(), values, out_int32=True, right=or_at)
    counts = torch.zeros(rows.shape, dtype=torch.int32, device=rows.device)
    near = _beside(ends, rows.dtype, above=or_at).unsqueeze(2)
    for index in range(ends.shape[1]):
        counts += rows >= near[:, index] if or_at else rows > near[:, index]
    return counts


def _beside(ends: Tensor, dtype: torch.dtype, *, above: bool) -> Tensor:
    """The nearest number of a type at or below (above) each end: comparisons have equal results."""
    near = ends.to(dtype)
    past = near.double() < ends if above else near.double() > ends
    towards = torch.full_like(near, torch.inf if above else -torch.inf)
    return torch.where(past, torch.nextafter(near, towards), near)
