"""TQT: power-of-two scales, learned as thresholds in the log domain.

Jain et al., "Trained Quantization Thresholds for Accurate and Efficient Fixed-Point Inference of
Deep Neural Networks", MLSys 2020, arXiv:1903.08066, section 3 (gradients: "backward pass").

    s = 2^ceil(log2 t) / 2^(b - 1)   signed,   2^ceil(log2 t) / 2^b   unsigned
    q(x) = clip(round(x / s), n, p) s                                          Eq. 4
    d q / d log2 t = s ln 2 (round(x / s) - x / s)   if n <= round(x / s) <= p
                     s ln 2 n   below,   s ln 2 p   above
    d q / d x      = 1 if n <= round(x / s) <= p, else 0

``ceil`` and ``round`` are passed straight through. Gradients of a threshold are in proportion to
it in the log domain, so small and large thresholds learn alike. An integer runtime shifts in place
of multiplying.

Differs from the paper: the gradient of ``log2 t`` is multiplied by ``1 / sqrt(N p)``
(:mod:`qat.quantizers.learned_scale`), because the optimizer may be SGD; the paper's Adam divides
such a factor out again. The start ``paper`` is the paper's 3 standard deviations for weights and
activations alike (it has the entropy-optimal threshold for activations: name an observer for
others). By default training starts at the scale of least square error, in the middle of the
thresholds that have this scale. One threshold per channel or group is possible.

Cites: jain2020tqt.
"""

import math

import torch
from torch import Tensor, nn

from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.qparams import QParams, qparams_from_range, round_up_to_power_of_two
from qat.core.rounding import Rounding, by_slopes
from qat.core.scheme import TensorSpec
from qat.observers.mse import square_error
from qat.observers.statistics import distribution
from qat.quantizers.learned_scale import LearnedScale, with_slopes

DEVIATIONS = 3.0
"""Standard deviations of a weight to which the paper sets its first threshold."""


class TQTQuantizer(LearnedScale):
    """Fake-quantize with a power-of-two scale whose threshold is trained.

    Args:
        spec: How the tensor is to be quantized; symmetric, with ``scale=power_of_two``.
        layout: Which elements of the tensor share a threshold.
        start: First threshold. ``mse``: that of the power-of-two scale of least square error.
            ``paper``: 3 standard deviations. ``observer``: the end of the range of the observer
            of the spec.

    Raises:
        InputError: If TQT cannot have the spec, ``start`` is unknown, or the spec names an
            observer that ``start`` ignores.

    Example:
        >>> spec = TensorSpec(bits=3, signed=True, scale="power_of_two")
        >>> quantizer = TQTQuantizer(spec, Layout())
        >>> quantizer.set_range(-1.7, 1.7)
        >>> quantizer(torch.tensor([0.7, 9.0])).tolist(), quantizer.qparams().scale.item()
        ([0.5, 1.5], 0.5)
    """

    method = "tqt"

    def __init__(self, spec: TensorSpec, layout: Layout, start: str = "mse") -> None:
        super().__init__(spec, layout, start)
        self.log2_threshold = nn.Parameter(torch.zeros(layout.shape))

    @property
    def fraction_bits(self) -> int:
        """``log2`` of threshold over scale, for a threshold that is a power of two."""
        return self.grid.bits - 1 if self.grid.signed else self.grid.bits

    def adopt_range(self) -> None:
        """Take the first threshold, see ``start``."""
        if self.start == "observer" or not self.sees_distribution:
            super().adopt_range()
        elif self.start == "mse":
            self.set_qparams(self._scale_of_least_error(), torch.zeros(()))
        else:
            threshold = DEVIATIONS * self.deviation()
            self.set_range(-threshold if self.grid.signed else 0.0, threshold)

    @torch.no_grad()
    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Set the threshold to the end of a range that lies further from 0.

        Args:
            rmin: Smallest value, a number or one for each slice.
            rmax: Largest value, likewise.

        Raises:
            InputError: If a bound is NaN or infinite, or ``rmin > rmax``.
        """
        like = self.log2_threshold
        ends = [torch.as_tensor(r, dtype=like.dtype, device=like.device) for r in (rmin, rmax)]
        low, high = (e.reshape(like.shape) if e.numel() > 1 else e.expand(like.shape) for e in ends)
        scale, _ = qparams_from_range(low, high, self.grid, symmetric=True)
        like.copy_((scale * self.grid.qmax).log2())
        self._set_ready()

    def rounding(self, x: Tensor) -> Rounding:
        """Eq. 4 and its gradients, as :mod:`qat.core.rounding` computes them."""
        scale = self._learning_scale(x).reshape(-1, 1)
        zero = torch.zeros_like(scale, requires_grad=False)
        return Rounding(scale, zero, self.grid, self.layout, _gradients)

    def in_plain_operations(self, x: Tensor) -> Tensor:
        """Eq. 4 and its gradients for a training step that is compiled as a whole."""
        scale, grid = self._learning_scale(x), self.grid
        beside = self.layout.beside(scale.detach(), x)
        inside, slope = _inside_and_slope(x, beside, grid.qmin, grid.qmax)
        return with_slopes(x, inside, slope, scale, self)

    @torch.no_grad()
    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Set thresholds to the middle, in the log domain, of those with this scale.

        Args:
            scale: Of ``layout.shape``; is rounded up to a power of two.
            zero_point: Not used.
        """
        exponent = round_up_to_power_of_two(scale).log2()
        self.log2_threshold.copy_(exponent + (self.fraction_bits - 0.5))
        self._set_ready()

    def qparams(self) -> QParams:
        """The power-of-two scale, and zero point 0."""
        scale = self._scale()
        return QParams(scale, torch.zeros_like(scale), self.grid, self.layout)

    @torch.no_grad()
    def _scale(self) -> Tensor:
        exponent = torch.ceil(self.log2_threshold) - self.fraction_bits
        least = math.log2(torch.finfo(exponent.dtype).tiny)
        exponent = exponent.clamp(least, -least).to(torch.int32)
        scale = torch.ldexp(torch.ones_like(self.log2_threshold), exponent)
        return scale if self.least_scale is None else round_up_to_power_of_two(self.held(scale))

    def _learning_scale(self, x: Tensor) -> Tensor:
        """The scale; the gradient of ``log2 t`` is ``s ln 2`` times that of the scale."""
        scale = self._scale()
        if not torch.is_grad_enabled():
            return scale
        return grad_of(scale, self.log2_threshold * (scale * (math.log(2) * self.gain(x))))

    def _scale_of_least_error(self) -> Tensor:
        """The better of the two powers of two beside the free scale of least square error."""
        observed = distribution(self.observer)
        assert observed is not None
        grid, (values, weights) = self.grid, observed
        low, high = self.observer.range(grid, symmetric=True)
        free, _ = qparams_from_range(low, high, grid, symmetric=True)
        wide = round_up_to_power_of_two(free).double()
        zero = torch.zeros_like(wide)
        errors = [
            square_error(values, weights, zero, scale * grid.qmax, grid, symmetric=True)
            for scale in (wide, wide / 2)
        ]
        best = torch.where(errors[1] < errors[0], wide / 2, wide)
        return best.reshape(self.layout.shape).to(self.log2_threshold)


def _inside_and_slope(y: Tensor, scale: Tensor, qmin: int, qmax: int) -> tuple[Tensor, Tensor]:
    """Where codes are not clipped, and the gradient of the rounded values by the scale."""
    steps = y / scale
    nearest = torch.round(steps)
    inside = (nearest >= qmin) & (nearest <= qmax)
    return inside, torch.where(inside, nearest - steps, nearest.clamp(qmin, qmax))


@by_slopes
def _gradients(
    grad: Tensor, y: Tensor, scale: Tensor, zero_point: Tensor, qmin: int, qmax: int
) -> tuple[Tensor, Tensor]:
    """The gradient of rows ``(slices, n)``, and that of their rounded values by the scale."""
    inside, slope = _inside_and_slope(y, scale, qmin, qmax)
    return torch.where(inside, grad, 0.0), slope
