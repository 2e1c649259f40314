"""Affine quantization: values to integer codes and back.

    q = clamp(round_half_even(r / scale) + zero_point, qmin, qmax)
    r = scale * (q - zero_point)

Jacob et al. 2018, arXiv:1712.05877, Eq. 1. All arithmetic is in the dtype of the values: codes
are exact in float32 up to 16 bits.
"""

import torch
from torch import Tensor

from qat.core.checks import require
from qat.core.kernels import body
from qat.core.qparams import QParams

_EDGE = 1e-4  # in steps: float rounding can move the end of the range this far past its code


@body
def quantize_dequantize(
    x: Tensor, scale: Tensor, zero_point: Tensor, qmin: float, qmax: float
) -> Tensor:
    """Round each row to its grid: ``scale * (clamp(round(x / scale) + zero_point) - zero_point)``.

    Args:
        x: ``(slices, n)``.
        scale: ``(slices, 1)``, in the unit of ``x``.
        zero_point: ``(slices, 1)``, integers as floats.
        qmin: Smallest code.
        qmax: Largest code.
    """
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        codes = torch.clamp(torch.round(x / scale) + zero_point, qmin, qmax)
        return (codes - zero_point) * scale
    # The same in one buffer: five new ones of a large tensor cost more than the arithmetic.
    codes = (x / scale).round_().add_(zero_point).clamp_(qmin, qmax)
    return codes.sub_(zero_point).mul_(scale)


def encode(x: Tensor, qparams: QParams) -> Tensor:
    """Integer codes of ``x``; infinities saturate.

    Args:
        x: Values of any shape that the layout allows.
        qparams: Scale, zero point, grid and layout.

    Returns:
        int32, of the shape of ``x``.

    Raises:
        InputError: If ``x`` contains NaN, which has no code.

    Example:
        >>> from qat.core.grid import IntGrid
        >>> from qat.core.layout import Layout
        >>> grid = IntGrid(4, signed=True)
        >>> qparams = QParams(torch.tensor([0.5]), torch.zeros(1), grid, Layout())
        >>> encode(torch.tensor([0.6, -0.25, 99.0]), qparams).tolist()
        [1, 0, 7]
    """
    require(~torch.isnan(x).any(), "NaN has no code: find where the values became NaN")
    scale, zero_point = _columns(qparams)
    codes = torch.round(qparams.layout.sliced(x) / scale) + zero_point
    codes = codes.clamp(qparams.grid.qmin, qparams.grid.qmax).to(torch.int32)
    return qparams.layout.unsliced(codes, x)


def decode(codes: Tensor, qparams: QParams) -> Tensor:
    """Values of integer codes, ``scale * (codes - zero_point)``, in the dtype of the scale.

    Args:
        codes: Integers of any shape that the layout allows.
        qparams: Scale, zero point, grid and layout.
    """
    scale, zero_point = _columns(qparams)
    rows = qparams.layout.sliced(codes).to(scale.dtype)
    return qparams.layout.unsliced((rows - zero_point) * scale, codes)


def is_inside(x: Tensor, scale: Tensor, zero_point: Tensor, qmin: int, qmax: int) -> Tensor:
    """Where ``x / scale + zero_point`` lies within the codes, to 1e-4 of a step.

    Args:
        x: Values.
        scale: Broadcasts against ``x``.
        zero_point: Broadcasts against ``x``, integers as floats.
        qmin: Smallest code.
        qmax: Largest code.
    """
    codes = x / scale + zero_point
    return (codes >= qmin - _EDGE) & (codes <= qmax + _EDGE)


def _columns(qparams: QParams) -> tuple[Tensor, Tensor]:
    """Scale and zero point as ``(slices, 1)``, beside the rows of ``layout.sliced``."""
    return qparams.scale.reshape(-1, 1), qparams.zero_point.reshape(-1, 1)
