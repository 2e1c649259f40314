"""PACT: activations clipped at a level that is trained.

Choi et al., "PACT: Parameterized Clipping Activation for Quantized Neural Networks", 2018,
arXiv:1805.06085.

    y   = 0.5 (|x| - |x - alpha| + alpha) = clip(x, 0, alpha)          Eq. 1
    y_q = round(y (2^k - 1) / alpha) alpha / (2^k - 1)                 Eq. 2
    d y_q / d alpha = 0 for x < alpha, 1 for x >= alpha                Eq. 3
    d y_q / d x     = 1 for 0 <= x < alpha, 0 elsewhere                straight-through
    loss + lambda alpha^2, with the lambda of the weights              section 4.2

alpha has a weight decay of its own (option ``decay``), without which it would hardly shrink:
``weights`` is the decay of the weights, as in the paper's recipe; a number is taken as it is.
Neither reads ``optimizer.step_weight_decay``.

Differs from the paper: one alpha per channel is possible; alpha starts at 10 only with
``start=paper``, else at the level of least square error, since a training of a few epochs does not
bring 10 down to where activations lie; a signed tensor, such as the images, which the paper leaves
float, is clipped on both sides, at ``alpha qmin / qmax`` and ``alpha``, with ``d y_q / d alpha =
qmin / qmax`` below, and does not start at 10; the magnitude of alpha is used.

Cites: choi2018pact.
"""

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.rounding import Rounding, by_slopes
from qat.core.scheme import TensorSpec
from qat.quantizers.learned_scale import LearnedScale, with_slopes

START = 10.0
"""alpha at the start of the paper's trainings (section 4)."""
DECAY_OF_WEIGHTS = "weights"
MOST_DECAY = 100.0


class PACTQuantizer(LearnedScale):
    """Fake-quantize an activation with a learned clipping level.

    Args:
        spec: How the tensor is to be quantized; symmetric, with a free scale.
        layout: Which elements of the tensor share a level.
        start: First level. ``mse``: that of least square error. ``paper``: 10. ``observer``: from
            the range of the observer of the spec.
        decay: Weight decay of the level: ``weights``, or a number of 0 to 100.

    Raises:
        InputError: If PACT cannot have the spec, an option is not allowed, or the spec names an
            observer that ``start`` ignores.

    Example:
        >>> quantizer = PACTQuantizer(TensorSpec(bits=2, signed=False), Layout())
        >>> quantizer.set_range(0.0, 6.0)
        >>> y = quantizer(torch.tensor([-1.0, 2.6, 9.0]))
        >>> y.sum().backward()
        >>> y.tolist(), quantizer.alpha.grad.item()
        ([0.0, 2.0, 6.0], 1.0)
    """

    method = "pact"

    def __init__(
        self,
        spec: TensorSpec,
        layout: Layout,
        start: str = "mse",
        decay: float | str = DECAY_OF_WEIGHTS,
    ) -> None:
        if decay != DECAY_OF_WEIGHTS and not (
            isinstance(decay, int | float) and 0 <= decay <= MOST_DECAY
        ):
            raise InputError(f"decay of pact must be weights or 0 to 100, got {decay!r}")
        super().__init__(spec, layout, start)
        self.decay = decay
        self.alpha = nn.Parameter(torch.full(layout.shape, float(self.grid.qmax)))

    def adopt_range(self) -> None:
        """Take the first level, see ``start``."""
        if self.start == "paper" and not self.grid.signed:
            self.set_range(0.0, START)
        else:
            super().adopt_range()

    def rounding(self, x: Tensor) -> Rounding:
        """Eq. 1 to 3, as :mod:`qat.core.rounding` computes them."""
        learned = self.alpha if self.least_scale is None else None
        with torch.set_grad_enabled(learned is None and torch.is_grad_enabled()):
            scale = self._scale().reshape(-1, 1)
            zero = torch.zeros_like(scale)
        # The gradient is that of the scale, alpha / qmax.
        gain = 1 / self.grid.qmax if learned is not None else 1.0
        return Rounding(scale, zero, self.grid, self.layout, _gradients, gain, learned)

    def in_plain_operations(self, x: Tensor) -> Tensor:
        """Eq. 1 to 3 for a training step that is compiled as a whole."""
        scale = self._scale()
        beside = self.layout.beside(scale.detach(), x)
        inside, slope = _inside_and_slope(x, beside, self.grid.qmin, self.grid.qmax)
        return with_slopes(x, inside, slope, scale, self)

    @torch.no_grad()
    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the level by ``scale * qmax``, in place.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Not used.
        """
        self.alpha.copy_(scale * self.grid.qmax)
        self._set_ready()

    def qparams(self) -> QParams:
        """``|alpha| / qmax`` as scale, and zero point 0."""
        scale = self._scale().detach()
        return QParams(scale, torch.zeros_like(scale), self.grid, self.layout)

    def _scale(self) -> Tensor:
        scale = self.alpha.abs() / self.grid.qmax
        return self.held(scale.clamp(min=torch.finfo(scale.dtype).tiny))


def _inside_and_slope(y: Tensor, scale: Tensor, qmin: int, qmax: int) -> tuple[Tensor, Tensor]:
    """Where values are not clipped, and the gradient of the rounded values by the scale."""
    above, below = y >= scale * qmax, y < scale * qmin
    slope = above.to(y.dtype) * qmax + below.to(y.dtype) * qmin
    return ~(above | below), slope


@by_slopes
def _gradients(
    grad: Tensor, y: Tensor, scale: Tensor, zero_point: Tensor, qmin: int, qmax: int
) -> tuple[Tensor, Tensor]:
    """The gradient of rows ``(slices, n)``, and that of their rounded values by the scale."""
    inside, slope = _inside_and_slope(y, scale, qmin, qmax)
    return torch.where(inside, grad, 0.0), slope
