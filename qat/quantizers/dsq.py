"""Differentiable soft quantization (DSQ).

Gong et al., "Differentiable Soft Quantization: Bridging Full-Precision and Low-Bit Neural
Networks", ICCV 2019, arXiv:1908.05033, section 3.2. With ``delta = (u - l) / (2^b - 1)`` and the
middle ``m_i = l + (i + 0.5) delta`` of the cell i in which x lies:

    phi(x) = s tanh(k (x - m_i))
    Q_S(x) = l + delta (i + (phi(x) + 1) / 2),  l below, u above   soft staircase
    s = 1 / (1 - alpha),  k = log(2 / alpha - 1) / delta
    Q(x)   = l + delta (i + (sign(phi(x)) + 1) / 2)                in the forward pass

The gradients of x, alpha, l and u are those of Q_S, which tends to Q as alpha tends to 0.

Differs from the paper: real zero is one of the levels. So the zero point is rounded to an integer
in the forward pass, and a symmetric grid has one learned clip u, with ``l = u qmin / qmax``. A clip
may be that of a channel or a group. Alpha is held within 0.001 to 0.9, where s and k exist; beyond
them its gradient passes, so that it returns. Its size is not penalised except by
``optimizer.step_weight_decay``. The first range is that of the observer of the spec, by default
that of least square error. With compiled kernels the gradients equal those of plain operations to
rounding only, since a compiled loop has another tanh.

Cites: gong2019dsq.
"""

from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.affine import quantize_dequantize
from qat.core.kernels import body, grad_of
from qat.core.layout import Layout
from qat.core.qparams import QParams, raised
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer

LEAST_ALPHA, MOST_ALPHA = 0.001, 0.9


class DSQQuantizer(Quantizer):
    """Fake-quantize with the gradient of a soft staircase, whose ends and softness are trained.

    Args:
        spec: How the tensor is to be quantized, with a free scale.
        layout: Which elements of the tensor share a range.
        alpha: First softness; 0.2 in the paper.

    Attributes:
        upper: u, of ``layout.shape``.
        lower: l, of ``layout.shape``; None for a symmetric grid.
        alpha: Softness, one for the tensor.

    Raises:
        InputError: If ``alpha`` is not within 0.001 to 0.9.

    Example:
        >>> quantizer = DSQQuantizer(TensorSpec(bits=2, signed=False), Layout())
        >>> quantizer.set_range(0.0, 3.0)
        >>> x = torch.tensor([1.5, 1.1], requires_grad=True)
        >>> quantizer(x).sum().backward()
        >>> quantizer(x).tolist(), [round(slope, 3) for slope in x.grad.tolist()]
        ([2.0, 1.0], [1.373, 0.689])
    """

    learns = True

    def __init__(self, spec: TensorSpec, layout: Layout, alpha: float = 0.2) -> None:
        if not LEAST_ALPHA <= alpha <= MOST_ALPHA:
            raise InputError(f"alpha of dsq must be {LEAST_ALPHA} to {MOST_ALPHA}, got {alpha}")
        super().__init__(spec, layout)
        self.upper = nn.Parameter(torch.ones(layout.shape))
        self.lower = None if spec.symmetric else nn.Parameter(torch.zeros(layout.shape))
        self.alpha = nn.Parameter(torch.tensor(float(alpha)))

    def observer_method(self) -> Method:
        """By default the range of least square error."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("mse")

    def quantize(self, x: Tensor) -> Tensor:
        """``Q(x)``, with the gradients of ``Q_S(x)``."""
        if torch.compiler.is_compiling():
            return self.in_plain_operations(x)
        scale, real_zero = (term.reshape(-1, 1) for term in self._terms())
        alpha = self._held_alpha()
        whole = self._whole(real_zero.detach())
        return _Staircase.apply(x, scale, real_zero, alpha, whole, self)  # type: ignore[no-any-return]

    def in_plain_operations(self, x: Tensor) -> Tensor:
        """The same for a training step that is compiled as a whole."""
        layout, grid = self.layout, self.grid
        scale, real_zero = (layout.beside(term, x) for term in self._terms())
        whole = self._whole(real_zero.detach())
        value = quantize_dequantize(x.detach(), scale.detach(), whole, grid.qmin, grid.qmax)
        steps = (x / scale + real_zero).clamp(grid.qmin, grid.qmax)
        alpha = self._held_alpha()
        phi = torch.tanh(_sharpness(alpha) * _from_middle(steps, grid.qmax)) / (1 - alpha)
        soft = _cell(steps, grid.qmax) + (phi + 1) / 2
        return grad_of(value, (soft - real_zero) * scale)

    def _held_alpha(self) -> Tensor:
        """Alpha within its ends, beyond which its gradient passes."""
        return grad_of(self.alpha.clamp(LEAST_ALPHA, MOST_ALPHA), self.alpha)

    @torch.no_grad()
    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the ends of the range, in place.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Of ``layout.shape``.
        """
        self.upper.copy_((self.grid.qmax - zero_point) * scale)
        if self.lower is not None:
            self.lower.copy_((self.grid.qmin - zero_point) * scale)
        self._set_ready()

    def qparams(self) -> QParams:
        """``delta`` as scale, and the rounded zero point."""
        scale, real_zero = (term.detach() for term in self._terms())
        return QParams(scale, self._whole(real_zero), self.grid, self.layout)

    def hold_scale(self, least: Tensor) -> None:
        """As the base, but without changing the parameters: a scale is raised where it is used."""
        self.least_scale = least

    def _terms(self) -> tuple[Tensor, Tensor]:
        """Scale and zero point, not rounded, with gradients of the ends."""
        tiny, grid = torch.finfo(self.upper.dtype).tiny, self.grid
        if self.lower is None:
            scale = (self.upper.abs() / grid.qmax).clamp(min=tiny)
        else:
            scale = ((self.upper - self.lower) / (grid.levels - 1)).clamp(min=tiny)
        if self.least_scale is not None:
            scale = raised(scale, self.least_scale)
        if self.lower is None:
            return scale, torch.zeros_like(scale)
        return scale, grid.qmin - self.lower / scale

    def _whole(self, zero_point: Tensor) -> Tensor:
        return torch.round(zero_point).clamp(self.grid.qmin, self.grid.qmax)


class _Staircase(torch.autograd.Function):
    """The hard staircase forward and the soft one backward, as one loop each if compiled."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        x: Tensor,
        scale: Tensor,
        real_zero: Tensor,
        alpha: Tensor,
        whole: Tensor,
        quantizer: DSQQuantizer,
    ) -> Tensor:
        ctx.layout, ctx.grid = quantizer.layout, quantizer.grid
        ctx.save_for_backward(x, scale, real_zero, alpha)
        rows = ctx.layout.sliced(x)
        return ctx.layout.unsliced(_hard(rows, scale, whole, ctx.grid.qmin, ctx.grid.qmax), x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, scale, real_zero, alpha = ctx.saved_tensors
        of_x, *of_terms = _gradients(
            ctx.layout.sliced(grad, like=x),
            ctx.layout.sliced(x),
            scale,
            real_zero,
            alpha,
            ctx.grid.qmin,
            ctx.grid.qmax,
        )
        return ctx.layout.unsliced(of_x, x), *of_terms, None, None


_hard = body(quantize_dequantize)


@body
def _gradients(
    grad: Tensor,
    x: Tensor,
    scale: Tensor,
    real_zero: Tensor,
    alpha: Tensor,
    qmin: int,
    qmax: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of rows ``(slices, n)``, scale and zero point ``(slices, 1)``, and alpha."""
    free = x / scale + real_zero
    steps = free.clamp(qmin, qmax)
    inside = (free >= qmin) & (free <= qmax)
    middle, sharpness = _from_middle(steps, qmax), _sharpness(alpha)
    tanh = torch.tanh(sharpness * middle)
    soft = _cell(steps, qmax) + (tanh / (1 - alpha) + 1) / 2
    rise = (1 - tanh * tanh) / (2 * (1 - alpha))  # by the argument of tanh
    slope = torch.where(inside, sharpness * rise, 0.0)
    of_scale = grad * (soft - real_zero - slope * (x / scale))
    of_zero = grad * scale * (slope - 1)
    # d log(2 / alpha - 1) / d alpha = -2 / (alpha (2 - alpha))
    by_alpha = tanh / (2 * (1 - alpha) ** 2) - rise * middle * (2 / (alpha * (2 - alpha)))
    of_alpha = (grad * scale * by_alpha).sum()
    of_scale, of_zero = (each.sum(dim=1, keepdim=True) for each in (of_scale, of_zero))
    return grad * slope, of_scale, of_zero, of_alpha


def _sharpness(alpha: Tensor) -> Tensor:
    """The factor k for steps of 1."""
    return torch.log(2 / alpha - 1)


def _cell(steps: Tensor, qmax: int) -> Tensor:
    return steps.detach().floor().clamp(max=qmax - 1)


def _from_middle(steps: Tensor, qmax: int) -> Tensor:
    return steps - _cell(steps, qmax) - 0.5
