"""Affine quantization: values to integer codes and back.

    q = clamp(round_half_even(r / scale) + zero_point, qmin, qmax)
    r = scale * (q - zero_point)

Jacob et al. 2018, arXiv:1712.05877, Eq. 1. All arithmetic is in the dtype of the values: codes
are exact in float32 up to 16 bits.
"""

from typing import Any

import torch
from torch import Tensor

from qat.core.checks import require
from qat.core.kernels import body, grad_of
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


def fake_quantize(x: Tensor, qparams: QParams) -> Tensor:
    """``decode(encode(x))`` bit for bit, with a straight-through gradient.

    The gradient of ``x`` is 1 where ``x / scale + zero_point`` lies within ``qmin .. qmax``, ends
    included (to 1e-4 of a step, since ``x / scale`` is itself rounded), and 0 outside: this is
    the straight-through estimator for rounding (Bengio et al. 2013, arXiv:1308.3432), but not for
    clipping. Scale and zero point get no gradient. NaN stays NaN.

    Args:
        x: Values of any shape that the layout allows.
        qparams: Scale, zero point, grid and layout.

    Example:
        >>> from qat.core.grid import IntGrid
        >>> from qat.core.layout import Layout
        >>> grid = IntGrid(4, signed=True)
        >>> qparams = QParams(torch.tensor([0.5]), torch.zeros(1), grid, Layout())
        >>> x = torch.tensor([0.6, 99.0], requires_grad=True)
        >>> y = fake_quantize(x, qparams)
        >>> y.sum().backward()
        >>> y.tolist(), x.grad.tolist()
        ([0.5, 3.5], [1.0, 0.0])
    """
    if torch.compiler.is_compiling():
        return _in_plain_operations(x, qparams)
    terms = _columns(qparams)
    if torch.is_grad_enabled():
        # The backward pass needs the scale of now; a later forward of the same training step may
        # change it in place. The values of the result do not depend on this copy.
        terms = terms[0].clone(), terms[1].clone()
    return _FakeQuantize.apply(x, *terms, qparams)  # type: ignore[no-any-return]


def _in_plain_operations(x: Tensor, qparams: QParams) -> Tensor:
    layout, grid = qparams.layout, qparams.grid
    terms = layout.beside(qparams.scale, x), layout.beside(qparams.zero_point, x)
    value = quantize_dequantize(x, *terms, grid.qmin, grid.qmax)
    inside = _is_inside(x, *terms, grid.qmin, grid.qmax)
    return grad_of(value, torch.where(inside, x, x.detach()))


class _FakeQuantize(torch.autograd.Function):
    """Forward and backward pass as one body each, so that each can be compiled to one loop."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, x: Tensor, scale: Tensor, zero_point: Tensor, qparams: QParams
    ) -> Tensor:
        ctx.save_for_backward(x, scale, zero_point)
        ctx.grid, ctx.layout = qparams.grid, qparams.layout
        rows = ctx.layout.sliced(x)
        value = quantize_dequantize(rows, scale, zero_point, ctx.grid.qmin, ctx.grid.qmax)
        return ctx.layout.unsliced(value, x)  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        x, scale, zero_point = ctx.saved_tensors
        grid, layout = ctx.grid, ctx.layout
        rows = layout.sliced(x), scale, zero_point, grid.qmin, grid.qmax
        return layout.unsliced(_pass_inside(layout.sliced(grad), *rows), grad), None, None, None


@body
def _pass_inside(
    grad: Tensor, x: Tensor, scale: Tensor, zero_point: Tensor, qmin: int, qmax: int
) -> Tensor:
    return torch.where(_is_inside(x, scale, zero_point, qmin, qmax), grad, 0.0).to(x.dtype)


def _is_inside(x: Tensor, scale: Tensor, zero_point: Tensor, qmin: int, qmax: int) -> Tensor:
    codes = x / scale + zero_point
    return (codes >= qmin - _EDGE) & (codes <= qmax + _EDGE)


def _columns(qparams: QParams) -> tuple[Tensor, Tensor]:
    """Scale and zero point as ``(slices, 1)``, beside the rows of ``layout.sliced``."""
    return qparams.scale.reshape(-1, 1), qparams.zero_point.reshape(-1, 1)
