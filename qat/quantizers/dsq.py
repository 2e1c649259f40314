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
that of least square error.

Cites: gong2019dsq.
"""

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.affine import quantize_dequantize
from qat.core.kernels import grad_of
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
        layout, grid = self.layout, self.grid
        scale, real_zero = self._terms()
        with torch.no_grad():
            terms = scale.detach().reshape(-1, 1), self._whole(real_zero.detach()).reshape(-1, 1)
            rows = quantize_dequantize(layout.sliced(x.detach()), *terms, grid.qmin, grid.qmax)
            value = layout.unsliced(rows, x)
        if not torch.is_grad_enabled():
            return value
        scale, real_zero = layout.beside(scale, x), layout.beside(real_zero, x)
        steps = (x / scale + real_zero).clamp(grid.qmin, grid.qmax)
        return grad_of(value, (self._soft(steps) - real_zero) * scale)

    def _soft(self, steps: Tensor) -> Tensor:
        """Q_S in steps, with alpha's gradient."""
        alpha = grad_of(self.alpha.clamp(LEAST_ALPHA, MOST_ALPHA), self.alpha)
        cell = steps.detach().floor().clamp(max=self.grid.qmax - 1)
        phi = torch.tanh(torch.log(2 / alpha - 1) * (steps - cell - 0.5)) / (1 - alpha)
        return cell + (phi + 1) / 2

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
