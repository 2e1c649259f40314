"""EWGS: gradients of rounding, scaled element by element.

Lee, Kim and Ham, "Network Quantization with Element-wise Gradient Scaling", CVPR 2021,
arXiv:2104.00903, section 3.

    x_n = clip((x - l) / (u - l), 0, 1)                                (a)
    x_q = round((2^b - 1) x_n) / (2^b - 1)                             (b)
    g_xn = g_xq (1 + delta sign(g_xq) (x_n - x_q))                     (c)

``g_xn`` and ``g_xq`` are the gradients of the loss by ``x_n`` and ``x_q``. A value that the update
is to move towards the next level gets a larger gradient than one that already lies beyond its
level. ``delta = 0`` is the straight-through estimator.

Differs from the paper: the levels are those of the integer grid, of which zero is one (the paper's
weights have levels without zero), so that codes fit an integer runtime. The interval is symmetric,
``-s (qmax - qmin) / 2 .. s (qmax - qmin) / 2``, or ``0 .. s qmax`` without sign, and learned by
its step ``s``; the same step scales the output, for which the paper learns a factor of its own.
The gradient of the step is that of the chain through (a) and (c), ``round(x / s) - (x / s) (1 +
delta sign(g) (x_n - x_q))`` inside and qmin or qmax outside, times ``1 / sqrt(N qmax)``
(:mod:`qat.quantizers.learned_scale`; the paper's Adam divides such a factor out again). delta is a
constant; the paper can also take it from the trace of the Hessian. By default training starts from
the step of least square error; ``start=paper`` takes bounds of 3 standard deviations, and ``3 std
/ sqrt(1 - 2 / pi)`` for values without sign.

Cites: lee2021ewgs.
"""

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.rounding import Rounding, by_slopes
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.lsq import LSQQuantizer

DELTA = 1e-3
MOST_DELTA = 10.0
DEVIATIONS = 3.0
"""Bound of the interval at the start, in standard deviations of a normal distribution."""
HALF_NORMAL = math.sqrt(1 - 2 / math.pi)
"""Standard deviation of the magnitude of standard normal values."""


class EWGSQuantizer(LSQQuantizer):
    """Fake-quantize with a learned step, and gradients that are scaled element by element.

    Args:
        spec: How the tensor is to be quantized; symmetric, with a free scale.
        layout: Which elements of the tensor share a step.
        start: First step. ``mse``: that of least square error. ``paper``: from 3 standard
            deviations. ``observer``: from the range of the observer of the spec.
        delta: How much gradients are scaled, 0 to 10.

    Raises:
        InputError: If EWGS cannot have the spec, an option is not allowed, or the spec names an
            observer that ``start`` ignores.

    Example:
        >>> spec = TensorSpec(bits=2, signed=False)
        >>> quantizer = EWGSQuantizer(spec, Layout(), delta=0.3)
        >>> quantizer.set_range(0.0, 3.0)
        >>> x = torch.tensor([1.4], requires_grad=True)
        >>> quantizer(x).backward()
        >>> f"{x.grad.item():.4f}"  # 1 + 0.3 (1.4 - 1) / 3
        '1.0400'
    """

    method = "ewgs"
    paper_observer = Method("mse")

    def __init__(
        self, spec: TensorSpec, layout: Layout, start: str = "mse", delta: float = DELTA
    ) -> None:
        if not (isinstance(delta, int | float) and 0 <= delta <= MOST_DELTA):
            raise InputError(f"delta of ewgs must be 0 to 10, got {delta!r}")
        super().__init__(spec, layout, start)
        self.delta = float(delta)

    def adopt_range(self) -> None:
        """Take the first step, see ``start``."""
        if self.start != "paper" or not self.sees_distribution:
            super().adopt_range()
            return
        grid, deviation = self.grid, self.deviation()
        bound = DEVIATIONS * (deviation if grid.signed else deviation / HALF_NORMAL)
        step = (2 if grid.signed else 1) * bound / (grid.qmax - grid.qmin)
        self.set_qparams(torch.where(step > 0, step, 1.0), torch.zeros(()))

    def rounding(self, x: Tensor) -> Rounding:
        """(a) to (c), as :mod:`qat.core.rounding` computes them."""
        plain = super().rounding(x)
        own = partial(_gradients, delta=self.delta)
        return Rounding(
            plain.scale, plain.zero_point, self.grid, self.layout, own, plain.gain, plain.learned
        )

    def in_plain_operations(self, x: Tensor) -> Tensor:
        """(a) to (c) for a training step that is compiled as a whole."""
        step = self._positive_step()
        step = self.layout.beside(grad_of(step, step * self.gain(x)), x)
        qmin, qmax = self.grid.qmin, self.grid.qmax
        steps = x / step
        inside = (steps > qmin) & (steps < qmax)
        clipped = torch.where(inside, steps, steps.detach().clamp(qmin, qmax))
        nearest = torch.round(clipped.detach())
        error = (clipped.detach() - nearest) / (qmax - qmin)
        return grad_of(nearest, _ScaledGradient.apply(clipped, error, self.delta)) * step


class _ScaledGradient(torch.autograd.Function):
    """The identity, whose gradient is ``g (1 + delta sign(g) error)``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, error: Tensor, delta: float) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(error)
        ctx.delta = delta
        return x.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (error,) = ctx.saved_tensors
        return grad * (1 + ctx.delta * torch.sign(grad) * error), None, None


@by_slopes
def _gradients(
    grad: Tensor, y: Tensor, step: Tensor, zero_point: Tensor, qmin: int, qmax: int, *, delta: float
) -> tuple[Tensor, Tensor]:
    """The gradient of rows ``(slices, n)``, and that of their rounded values by the step."""
    steps = y / step
    inside = (steps > qmin) & (steps < qmax)
    nearest = torch.round(steps)
    factor = 1 + delta * torch.sign(grad) * ((steps - nearest) / (qmax - qmin))
    slope = torch.where(inside, nearest - steps * factor, steps.clamp(qmin, qmax))
    return torch.where(inside, grad * factor, 0.0), slope
