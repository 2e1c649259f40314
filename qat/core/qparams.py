"""Scale and zero point from a range.

Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, arXiv:1712.05877, section 2.1, and
Krishnamoorthi 2018, arXiv:1806.08342, section 2:

    symmetric    zero_point = 0
                 scale = max(|rmin|, |rmax|) / qmax
    asymmetric   rmin = min(rmin, 0), rmax = max(rmax, 0)
                 scale = (rmax - rmin) / (qmax - qmin)
                 zero_point = clamp(round(qmin - rmin / scale), qmin, qmax)

Textbooks also write ``qmax / 2`` for an unsigned symmetric grid, or add a real zero point and
round after it. Here the zero point is an integer, added after rounding: that is what integer
hardware computes, and it makes real zero a code of every grid.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from qat.core.checks import require
from qat.core.grid import IntGrid
from qat.core.layout import Layout

MARGIN = 1.0001
"""Factor of :func:`raised`, as in onnxruntime (``_adjust_weight_scale_for_int32_bias``)."""


@dataclass(frozen=True)
class QParams:
    """All that turns values into codes and back; exporters read nothing else of a quantizer.

    Attributes:
        scale: Size of one step, in the unit of the values, of ``layout.shape``.
        zero_point: Integer code of real zero, as floats, of ``layout.shape``.
        grid: The codes.
        layout: Which elements of the tensor share a scale.

    Example:
        >>> from qat.core import affine
        >>> own = QParams(torch.tensor([0.5]), torch.zeros(1), IntGrid(4, signed=True), Layout())
        >>> affine.encode(torch.tensor([0.6, 99.0]), own).tolist()
        [1, 7]
    """

    scale: Tensor
    zero_point: Tensor
    grid: IntGrid
    layout: Layout


def qparams_from_range(
    rmin: Tensor,
    rmax: Tensor,
    grid: IntGrid,
    *,
    symmetric: bool,
    power_of_two: bool = False,
    least: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Scale and zero point of each range.

    A range ``0 .. 0`` (a dead channel, no data) gets scale 1. A scale is at least the smallest
    normal number, so that dividing by it is safe.

    Args:
        rmin: Smallest values to represent, of any shape.
        rmax: Largest values to represent, of the same shape.
        grid: The codes to spread over the range.
        symmetric: Fix the zero point at 0.
        power_of_two: Round the scale up to a power of two, so that the range still fits.
        least: Smallest scales, see :func:`raised`; None for no limit.

    Returns:
        ``(scale, zero_point)``, both of the shape and dtype of ``rmin``.

    Raises:
        InputError: If a bound is NaN or infinite, or ``rmin > rmax``.

    Example:
        >>> low, high = torch.tensor([-1.0]), torch.tensor([3.0])
        >>> qparams_from_range(low, high, IntGrid(2, signed=False), symmetric=False)
        (tensor([1.3333]), tensor([1.]))
    """
    finite = torch.isfinite(rmin) & torch.isfinite(rmax)
    require(finite, "a range must be finite: the values contain NaN or infinity")
    require(rmin <= rmax, "a range needs rmin <= rmax")
    low, high = rmin.clamp(max=0), rmax.clamp(min=0)
    if symmetric:
        scale = torch.maximum(-low, high) / grid.qmax
    else:
        # Divided before subtracting: the width of a range may exceed the largest float.
        scale = high / (grid.levels - 1) - low / (grid.levels - 1)
    scale = torch.where(scale == 0, 1.0, scale).clamp(min=torch.finfo(scale.dtype).tiny)
    if least is not None:
        scale = raised(scale, least)
    if power_of_two:
        scale = round_up_to_power_of_two(scale)
    if symmetric:
        return scale, torch.zeros_like(scale)
    zero_point = torch.round(grid.qmin - low / scale).clamp(grid.qmin, grid.qmax)
    return scale, zero_point


def raised(scale: Tensor, least: Tensor) -> Tensor:
    """Scales, of which each below its ``least`` is replaced by ``least * MARGIN``.

    The margin prevents a second raise by a limit that is recomputed from the raised scale.

    Args:
        scale: Of any shape.
        least: Smallest scales, of the same shape.

    Example:
        >>> raised(torch.tensor([0.1, 2.0]), torch.tensor([1.0, 1.0]))
        tensor([1.0001, 2.0000])
    """
    least = least.to(scale)
    return torch.where(scale < least, least * MARGIN, scale)


def round_up_to_power_of_two(scale: Tensor) -> Tensor:
    """The smallest power of two that is not below each positive scale, exactly.

    Example:
        >>> round_up_to_power_of_two(torch.tensor([0.3, 0.5, 5.0]))
        tensor([0.5000, 0.5000, 8.0000])
    """
    mantissa, exponent = torch.frexp(scale)  # scale = mantissa * 2^exponent, mantissa in [0.5, 1)
    return torch.ldexp(torch.ones_like(scale), exponent - (mantissa == 0.5).to(exponent.dtype))
