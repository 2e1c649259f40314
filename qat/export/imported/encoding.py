"""One quantized tensor of a file in the terms of this project: grid, scales, zero points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from qat.base.errors import InputError
from qat.core.grid import MAX_BITS, MIN_BITS, IntGrid
from qat.core.held_plan import HeldRange
from qat.core.scheme import TensorSpec

LARGEST_SCALE = 3.4028234663852886e38
SMALLEST_SCALE = 1.1754943508222875e-38
"""Limits of normal numbers in float32."""


@dataclass(frozen=True)
class Encoding:
    """The codes of one tensor, and their scales.

    Attributes:
        bits: Width of a code; 16 for ``fp16``.
        signed: Codes can be negative.
        symmetric: Every zero point is 0.
        narrow: The most negative code is left out.
        scale: One, one for each channel, or ``channels * groups`` in rows of channels.
        zero_point: As many.
        group_size: Input channels that share a scale; None if a scale is of a channel or more.
        half: The tensor is a float of 16 bits, and has neither codes nor scales.
    """

    bits: int
    signed: bool = True
    symmetric: bool = True
    narrow: bool = False
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    group_size: int | None = None
    half: bool = False

    def spec(self, usual: TensorSpec, slices: int = 1) -> TensorSpec:
        """The format of a tensor with these codes.

        Args:
            usual: Quantizer and observer are taken from it.
            slices: Channels of the tensor, which decide what several scales are.
        """
        if self.half:
            return usual.but(format="fp16", bits=16, granularity="tensor", group_size=None)
        granularity = "group" if self.group_size is not None else "tensor"
        if self.group_size is None and len(self.scale) == slices > 1:
            granularity = "channel"
        return TensorSpec(
            bits=self.bits,
            signed=self.signed,
            symmetric=self.symmetric,
            narrow=self.narrow,
            granularity=granularity,
            group_size=self.group_size,
            quantizer=usual.quantizer,
            observer=usual.observer,
        )

    def held(self) -> HeldRange:
        """The scales and zero points."""
        return HeldRange(self.scale, self.zero_point)


def encoding(
    qmin: int,
    qmax: int,
    scale: Sequence[float],
    zero_point: Sequence[int],
    group_size: int | None = None,
) -> Encoding:
    """The encoding of codes ``qmin .. qmax`` with values ``scale * (q - zero_point)``.

    Codes are shifted so that they are those of a grid of this project: signed with zero point 0
    where that is possible, or else from 0. No value changes.

    Args:
        qmin: Smallest code.
        qmax: Largest code.
        scale: Of each slice.
        zero_point: Of each slice; a single one belongs to all.
        group_size: Input channels that share a scale, if they do.

    Raises:
        InputError: If there is no such grid, or a scale or zero point is wrong.

    Example:
        >>> encoding(0, 255, [0.1], [128])
        Encoding(bits=8, signed=True, symmetric=True, narrow=False, scale=(0.1,), zero_point=(0,), \
group_size=None, half=False)
        >>> encoding(-7, 7, [0.1], [0]).narrow, encoding(0, 15, [0.1], [3]).zero_point
        (True, (3,))
    """
    check_scales(scale)
    zeros = tuple(zero_point) * (len(scale) if len(zero_point) == 1 else 1)
    if len(zeros) != len(scale):
        raise InputError(f"has {len(scale)} scales and {len(zeros)} zero points")
    outside = [zero for zero in zeros if not qmin <= zero <= qmax]
    if outside:
        raise InputError(f"has the zero point {outside[0]} outside its codes {qmin} to {qmax}")
    levels = qmax - qmin + 1
    narrow = levels & (levels - 1) != 0  # one code less than a power of two
    bits = (levels + narrow).bit_length() - 1
    if not MIN_BITS <= bits <= MAX_BITS or levels + narrow != 2**bits:
        raise InputError(
            f"has the codes {qmin} to {qmax}, which are not the codes of {MIN_BITS} to {MAX_BITS} "
            "bits"
        )
    return _on_grid(bits, narrow, qmin, tuple(scale), zeros, group_size)


def half_float() -> Encoding:
    """The encoding of a tensor that is stored as a float of 16 bits."""
    return Encoding(bits=16, half=True)


def check_scales(scale: Sequence[object]) -> None:
    """Check that scales are positive numbers of float32.

    Raises:
        InputError: If one is not, or there is none.
    """
    if not scale:
        raise InputError("has no scale")
    for value in scale:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value <= 0:  # type: ignore[arg-type, operator]
            raise InputError(f"has the scale {value!r}: a scale is a finite number above 0")
        if not SMALLEST_SCALE <= value <= LARGEST_SCALE:  # type: ignore[operator]
            raise InputError(f"has the scale {value!r}, which is no normal number of float32")


def _on_grid(
    bits: int,
    narrow: bool,
    qmin: int,
    scale: tuple[float, ...],
    zeros: tuple[int, ...],
    group_size: int | None,
) -> Encoding:
    for grid in (IntGrid(bits, True, narrow), IntGrid(bits, False)):
        shifted = tuple(zero - qmin + grid.qmin for zero in zeros)
        if not any(shifted) and not (narrow and not grid.signed):
            return Encoding(bits, grid.signed, True, grid.narrow, scale, shifted, group_size)
    signed = qmin < 0 or narrow
    grid = IntGrid(bits, signed, narrow and signed)
    shifted = tuple(zero - qmin + grid.qmin for zero in zeros)
    return Encoding(bits, signed, False, grid.narrow, scale, shifted, group_size)
