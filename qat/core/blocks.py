"""Blocks of values that share a power of two as scale, as in the OCP MX formats.

OCP Microscaling Formats (MX) Specification v1.0, section 6.3, and Rouhani et al. 2023,
arXiv:2310.10537, Algorithm 1. For a block ``V`` and elements whose largest value has the exponent
``emax``:

    X = 2^(floor(log2(max|V|)) - emax)
    P_i = round(V_i / X)                    to the format of the elements, with saturation

``X`` is stored as E8M0: a byte, the exponent plus 127.

Differs from the specification: exponents are -126 to 127, since 2^-127 is no normal number in
float32. A block of zeros has the smallest scale. The last block of an axis may be shorter.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from qat.core.formats import BLOCK, LOW_BIT_FORMATS
from qat.core.minifloat import binade

_BIAS = 127
_SMALLEST, _LARGEST = 2.0**-126, 2.0**127


def in_blocks(x: Tensor, axis: int) -> Tensor:
    """``x`` with its axis divided into ``(blocks, values)``; zeros fill the last block.

    Args:
        x: Any tensor that has this axis.
        axis: The axis of the blocks.

    Example:
        >>> in_blocks(torch.zeros(2, 40, 5), axis=1).shape, in_blocks(torch.zeros(2, 3), -1).shape
        (torch.Size([2, 2, 32, 5]), torch.Size([2, 1, 3]))
    """
    length = x.shape[axis]
    size = min(BLOCK, length)
    missing = -length % size if size else 0
    if missing:
        after = x.ndim - 1 - axis % x.ndim
        x = F.pad(x, (0, 0) * after + (0, missing))
    return x.unflatten(axis, (-1, max(size, 1)))


def out_of_blocks(blocks: Tensor, axis: int, length: int) -> Tensor:
    """The inverse of :func:`in_blocks`.

    Args:
        blocks: Result of :func:`in_blocks`, or a tensor of its shape.
        axis: The axis before the division.
        length: Of that axis.
    """
    first = axis if axis >= 0 else axis + blocks.ndim - 1
    return blocks.flatten(first, first + 1).narrow(first, 0, length)


def block_scales(blocks: Tensor, axis: int, name: str) -> Tensor:
    """``X`` of each block, with a length of 1 in place of the values.

    Args:
        blocks: Result of :func:`in_blocks`, float32 or float64.
        axis: The axis before the division.
        name: Of the elements' format.

    Example:
        >>> block_scales(torch.tensor([[[6.0, -0.1]]]), 1, "mxfp4_e2m1").tolist()
        [[[1.0]]]
    """
    values = axis + 1 if axis >= 0 else axis
    largest = blocks.abs().amax(dim=values, keepdim=True)
    scale = binade(largest) * 2.0 ** -LOW_BIT_FORMATS[name].largest_exponent
    return scale.clamp(_SMALLEST, _LARGEST)


def to_e8m0(scales: Tensor) -> Tensor:
    """Powers of two as bytes, uint8.

    Example:
        >>> to_e8m0(torch.tensor([1.0, 0.25])).tolist()
        [127, 125]
    """
    return (torch.frexp(scales).exponent - 1 + _BIAS).to(torch.uint8)


def from_e8m0(exponents: Tensor) -> Tensor:
    """The inverse of :func:`to_e8m0`, float32; the byte 255 is NaN, as in the specification."""
    scales = (exponents.to(torch.int32) << 23).view(torch.float32)  # the exponent of a float32
    return torch.where(exponents == 255, torch.nan, scales)
