"""Rounding that is learned: each weight is rounded down or up, whichever serves the loss.

Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization" (AdaRound), ICML 2020,
arXiv:2004.10568. With a weight ``w`` of scale ``s`` and zero point ``z``, and one real ``v`` for
each weight:

    soft weight  s * (clip(floor(w / s) + h(v) + z, qmin, qmax) - z)              Eq. 22
    h(v)         clip(sigmoid(v) * (zeta - gamma) + gamma, 0, 1)                  Eq. 23
                 zeta = 1.1, gamma = -0.1
    penalty      sum over the weights of 1 - |2 h(v) - 1|^beta                    Eq. 24

``h`` is the rectified sigmoid of Louizos et al. 2018, arXiv:1712.01312. ``v`` starts where ``h(v)``
is the fraction ``w / s - floor(w / s)``, so that the soft weight starts as the float weight. A
large ``beta`` leaves ``h`` free in the middle, a small one pushes it to 0 or 1.

Differs from the paper: the zero point (the paper has symmetric grids). ``beta`` falls along half a
cosine, from the end of a warm-up without penalty (the paper says annealed).

Cites: nagel2020adaround, louizos2018l0.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.qparams import QParams

ZETA = 1.1
GAMMA = -0.1


def rectified_sigmoid(logits: Tensor) -> Tensor:
    """``h(v)`` of Eq. 23, within 0 and 1.

    Example:
        >>> rectified_sigmoid(torch.tensor([-9.0, 0.0, 9.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    return _stretched(torch.sigmoid(logits))


def logits_of(fractions: Tensor) -> Tensor:
    """The inverse of :func:`rectified_sigmoid`: the start ``v`` for fractions within 0 and 1."""
    return -torch.log((ZETA - GAMMA) / (fractions - GAMMA) - 1)


def penalty_slope(rounding: Tensor, beta: float) -> Tensor:
    """The derivative of Eq. 24 in ``h``, for each weight: ``-2 beta sign(u) |u|^(beta - 1)``.

    Args:
        rounding: ``h(v)``, within 0 and 1; ``u = 2 h(v) - 1``.
        beta: Exponent; the smaller, the stronger is the push from the middle.

    Example:
        >>> penalty_slope(torch.tensor([0.0, 0.25, 1.0]), beta=2).tolist()
        [4.0, 2.0, -4.0]
    """
    u = 2 * rounding - 1
    return u.sign().mul_(u.abs_().pow_(beta - 1)).mul_(-2 * beta)


def annealed(
    iteration: int,
    iterations: int,
    warm_up: float = 0.2,
    start: float = 20.0,
    end: float = 2.0,
) -> float | None:
    """``beta`` of an iteration; None in the warm-up, which has no penalty.

    Args:
        iteration: From 0.
        iterations: Number of all.
        warm_up: Share of the iterations without penalty.
        start: First beta.
        end: Beta that is approached at the end.

    Example:
        >>> [annealed(i, 10) for i in (0, 2, 6)]
        [None, 20.0, 11.0]
    """
    first = warm_up * iterations
    if iteration < first:
        return None
    progress = (iteration - first) / (iterations - first)
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


class SoftRounding(nn.Module):
    """Stands for the quantizer of a weight while its rounding is learned.

    Args:
        weight: The float weight, of any shape.
        qparams: Its scale, zero point, grid and layout, which stay.

    Attributes:
        logits: ``v``, the parameter, of the shape of the weight.

    Raises:
        InputError: If the weight contains NaN or infinity.

    Example:
        >>> from qat.core.grid import IntGrid
        >>> from qat.core.layout import Layout
        >>> grid = IntGrid(4, signed=True)
        >>> qparams = QParams(torch.tensor([1.0]), torch.zeros(1), grid, Layout())
        >>> weight = torch.tensor([0.25, 2.75, 99.0])
        >>> soft = SoftRounding(weight, qparams)
        >>> soft(weight).tolist(), soft.codes().tolist()
        ([0.25, 2.75, 7.0], [0, 3, 7])
    """

    def __init__(self, weight: Tensor, qparams: QParams) -> None:
        super().__init__()
        layout, grid = qparams.layout, qparams.grid
        weight = weight.detach()
        scale = layout.beside(qparams.scale, weight)
        self._zero_point = layout.beside(qparams.zero_point, weight).detach().clone()
        steps = weight / scale
        if not torch.isfinite(steps).all():
            raise InputError("a weight contains NaN or infinity, which cannot be rounded")
        floor = torch.floor(steps)
        low, high = grid.qmin - self._zero_point, grid.qmax - self._zero_point
        # clip(floor + h) is floor + h where both neighbours are codes, else the end of the grid.
        self._base = floor.clamp(low, high)
        self._is_free = ((floor >= low) & (floor < high)).to(floor.dtype)
        self._offset, self._gain = self._base * scale, self._is_free * scale
        self.logits = nn.Parameter(logits_of(steps - floor))

    def rounding(self) -> Tensor:
        """``h(v)``, of the shape of the weight."""
        return rectified_sigmoid(self.logits)

    def forward(self, weight: Tensor) -> Tensor:
        """The soft weight of Eq. 22; ``weight`` itself is not read."""
        soft: Tensor = _Soft.apply(self.logits, self._offset, self._gain)
        return soft

    @torch.no_grad()
    def add_penalty_gradient(self, strength: float, beta: float) -> None:
        """Add the gradient of ``strength`` times the penalty to that of ``v``.

        Args:
            strength: Factor of the penalty.
            beta: Its exponent.
        """
        assert self.logits.grad is not None
        sigmoid = torch.sigmoid(self.logits)
        slope = penalty_slope(_stretched(sigmoid), beta)
        self.logits.grad.add_(slope.mul_(_stretched_slope(sigmoid)), alpha=strength)

    @torch.no_grad()
    def codes(self) -> Tensor:
        """Codes on the grid, int32: a weight is rounded up where ``h(v) >= 0.5``, else down."""
        up = (self.rounding() >= 0.5).to(self._base.dtype)
        return (self._base + self._is_free * up + self._zero_point).to(torch.int32)

    @torch.no_grad()
    def undecided(self) -> int:
        """Number of weights whose ``h(v)`` is neither 0 nor 1."""
        rounding = self.rounding()
        return int(((rounding > 0) & (rounding < 1)).sum())


class _Soft(torch.autograd.Function):
    """``offset + gain * h(v)``, in one node: twenty small ones take longer than a convolution."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, offset: Tensor, gain: Tensor) -> Tensor:  # type: ignore[override]
        sigmoid = torch.sigmoid(logits)
        ctx.save_for_backward(sigmoid, gain)
        return torch.addcmul(offset, gain, _stretched(sigmoid))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        sigmoid, gain = ctx.saved_tensors
        return _stretched_slope(sigmoid).mul_(gain).mul_(grad), None, None


def _stretched(sigmoid: Tensor) -> Tensor:
    return (sigmoid * (ZETA - GAMMA)).add_(GAMMA).clamp_(0, 1)


def _stretched_slope(sigmoid: Tensor) -> Tensor:
    """The derivative of ``h`` in ``v``: 0 where ``h`` is 0 or 1."""
    low, high = -GAMMA / (ZETA - GAMMA), (1 - GAMMA) / (ZETA - GAMMA)
    inside = (sigmoid > low) & (sigmoid < high)
    return (sigmoid - sigmoid.square()).mul_(ZETA - GAMMA).mul_(inside)
