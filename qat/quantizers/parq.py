"""Piecewise-affine regularized quantization (PARQ) of weights, without straight-through estimator.

Jin et al., "PARQ: Piecewise-Affine Regularized Quantization", ICML 2025, arXiv:2503.15748. The
regularizer is piecewise affine with its kinks at the levels; its proximal map, between the levels
``q_lower <= u <= q_upper`` around a weight and with the inverse slope r, is

    prox(u) = clip(m + (u - m) / r, q_lower, q_upper),   m = (q_lower + q_upper) / 2

the identity at r = 1, and rounding as r tends to 0; beyond the outermost levels it is the nearest
of them (section 4). Aggregate proximal gradient, Eq. 11:

    w_t     = prox(u_t)
    u_(t+1) = u_t - rate * gradient of the loss at w_t

The parameter of the layer is u, from which each forward pass computes w. The gradient of the loss
at w is what the optimizer subtracts from u, as the method defines it: no derivative of the proximal
map is estimated. r falls over the share t of the training from 1 to 0 by the mirrored sigmoid of
the authors' program (the paper leaves the schedule open),

    r = (s(t) - s(1)) / (s(0) - s(1)),   s(t) = 1 / (1 + exp(steepness (t / end - 1/2)))

Evaluation rounds (r = 0), since that is what is deployed.

Differs from the paper: the levels are those of a uniform grid at every width; the step starts at
that of least square error, and is fitted to u by least squares, given its codes, in every training
step until ``frozen`` (the paper fits the levels themselves, which are sums of a basis). A step may
be that of a channel or a group.

Cites: jin2025parq.
"""

import math

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.affine import quantize_dequantize
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.qparams import QParams, raised
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer


class PARQQuantizer(Quantizer):
    """Draws weights to the levels of a grid in training, and rounds them in evaluation.

    Args:
        spec: How the weight is to be quantized; symmetric, with a free scale.
        layout: Which weights share a step.
        steepness: Of the sigmoid by which the inverse slope falls.
        end: Share of the training after which weights are rounded, above 0, at most 1.

    Attributes:
        scale: The step, of ``layout.shape``.
        inverse_slope: r; 1 before any training.

    Raises:
        InputError: If ``steepness`` or ``end`` is out of range.

    Example:
        >>> quantizer = PARQQuantizer(TensorSpec(bits=4, signed=True), Layout())
        >>> quantizer.set_range(-7.0, 7.0)
        >>> quantizer.frozen = True
        >>> quantizer.set_progress(0.5)  # r = 0.5
        >>> quantizer(torch.tensor([0.4, 0.1, 9.0])), quantizer.eval()(torch.tensor([0.4]))
        (tensor([0.3000, 0.0000, 7.0000]), tensor([0.]))
    """

    follows_each_call = True
    scale: Tensor
    inverse_slope: Tensor

    def __init__(
        self, spec: TensorSpec, layout: Layout, steepness: float = 10.0, end: float = 1.0
    ) -> None:
        if not 0 < steepness <= 100:
            raise InputError(f"steepness of parq must be above 0, at most 100, got {steepness}")
        if not 0 < end <= 1:
            raise InputError(f"end of parq must be above 0, at most 1, got {end}")
        super().__init__(spec, layout)
        self.steepness, self.end = float(steepness), float(end)
        self.register_buffer("scale", torch.ones(layout.shape))
        self.register_buffer("inverse_slope", torch.ones(()))

    def observer_method(self) -> Method:
        """By default the range of least square error."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("mse")

    def set_progress(self, share: float) -> None:
        """Let the inverse slope fall to where it is after a share of the training.

        Args:
            share: 0 to 1.
        """
        self.inverse_slope.fill_(inverse_slope(share / self.end, self.steepness))

    def forward(self, x: Tensor) -> Tensor:
        """As the base; in training the step first follows ``x``."""
        if self._ready and self._follows():
            self._fit(self.layout.sliced(x.detach()))
        return super().forward(x)

    @property
    def only_rounds(self) -> bool:
        """True in evaluation only: in training weights are drawn to the levels."""
        return self.is_rounding and not self.training

    def quantize(self, x: Tensor) -> Tensor:
        """``prox(x)`` in training, ``x`` rounded in evaluation; the gradient is passed to ``x``."""
        with torch.no_grad():
            rows, step = self.layout.sliced(x.detach()), self.scale.reshape(-1, 1)
            value = self._rounded(rows, step)
            if self.training:
                drawn = self._drawn(rows, step)
                value = torch.where(self.inverse_slope > 0, drawn, value)
            value = self.layout.unsliced(value, x)
        return grad_of(value, x) if torch.is_grad_enabled() else value

    @torch.no_grad()
    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the step, in place.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Not used.
        """
        self.scale.copy_(scale)
        self._set_ready()

    def qparams(self) -> QParams:
        """The step as scale, and zero point 0."""
        return QParams(self.scale, torch.zeros_like(self.scale), self.grid, self.layout)

    def _drawn(self, rows: Tensor, step: Tensor) -> Tensor:
        """The proximal map."""
        grid = self.grid
        steps = (rows / step).clamp(grid.qmin, grid.qmax)
        lower = steps.floor().clamp(max=grid.qmax - 1)
        slope = 1 / self.inverse_slope.clamp(min=torch.finfo(rows.dtype).eps)
        share = (0.5 + (steps - lower - 0.5) * slope).clamp(0, 1)
        return (lower + share) * step

    def _rounded(self, rows: Tensor, step: Tensor) -> Tensor:
        return quantize_dequantize(
            rows, step, torch.zeros_like(step), self.grid.qmin, self.grid.qmax
        )

    @torch.no_grad()
    def _fit(self, rows: Tensor) -> None:
        """The step of least square error, given the present codes."""
        step = self.scale.reshape(-1, 1)
        codes = self._rounded(rows, step) / step
        squares, product = codes.square().sum(dim=1), (codes * rows).sum(dim=1)
        fitted = product / squares.clamp(min=1)  # a slice of zeros keeps its step
        fitted = torch.where((squares > 0) & (fitted > 0), fitted, step.squeeze(1))
        fitted = fitted.reshape(self.layout.shape)
        self.scale.copy_(fitted if self.least_scale is None else raised(fitted, self.least_scale))

    def _follows(self) -> bool:
        return self.phase == "quantize" and self.training and not self.frozen


def inverse_slope(share: float, steepness: float) -> float:
    """The inverse slope after a share of its fall: 1 at 0, 0 at 1 and beyond.

    Args:
        share: 0 or more.
        steepness: Of the sigmoid.

    Example:
        >>> [round(inverse_slope(share, 10), 4) for share in (0, 0.25, 0.5, 1)]
        [1.0, 0.9299, 0.5, 0.0]
    """
    if share >= 1:
        return 0.0
    first, now, last = (1 / (1 + math.exp(steepness * (t - 0.5))) for t in (0.0, share, 1.0))
    return (now - last) / (first - last)
