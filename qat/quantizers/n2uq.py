"""Nonuniform-to-uniform quantization (N2UQ) of activations: learned thresholds, even levels.

Liu et al., "Nonuniform-to-Uniform Quantization: Towards Accurate Quantization via Generalized
Straight-Through Estimation", CVPR 2022, arXiv:2111.14826, section 3.2. With intervals of widths
``a_1 .. a_N``, ``N = 2^bits - 1``, whose ends are ``d_i = d_0 + a_1 + .. + a_i``:

    x_q = i  for T_i <= x < T_(i+1),   T_i = d_(i-1) + a_i / 2       forward, Eq. 2 and 10
    x_b = i - 1 + (x - d_(i-1)) / a_i  for d_(i-1) <= x < d_i,
          0 below d_0, N above d_N                                   backward (G-STE), Theorem 1
    y = step x_q

``x_b`` is the mean of a stochastic rounding in each interval; its gradients are those of x, of all
``a`` and of ``d_0``. The levels are evenly spaced, so a layer multiplies integers.

Differs from the paper: the factor of the input is part of the widths, which it would multiply.
``d_0`` is held at 0 or more, so that zero stays a level. Signed activations are possible: both
signs have the same thresholds, with ``N = 2^(bits-1) - 1``. Widths and ``d_0`` start as those of
the uniform grid of least square error; in the paper as those of N equal intervals of 0 .. 2
(section 4.1). A tensor may have intervals of each channel. Weights have the quantizer
``n2uq_weight``.

Cites: liu2022n2uq.
"""

import torch
from torch import Tensor, nn

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.thresholds import ThresholdQuantizer, held_at

_LEAST_WIDTH = 1e-3
"""Smallest width of an interval, in steps."""


class N2UQQuantizer(ThresholdQuantizer):
    """Fake-quantize activations with trained thresholds and evenly spaced levels.

    Args:
        spec: How the tensor is to be quantized; symmetric, with a free scale.
        layout: Which elements of the tensor share thresholds.

    Attributes:
        widths: ``a``, ``(slices, N)``.
        start: ``d_0``, ``(slices, 1)``.
        scale: Distance of two levels, of ``layout.shape``.

    Example:
        >>> quantizer = N2UQQuantizer(TensorSpec(bits=2, signed=False), Layout())
        >>> quantizer.set_widths(torch.tensor([[2.0, 4.0, 2.0]]), torch.ones(1))
        >>> quantizer.thresholds().tolist()
        [[1.0, 4.0, 7.0]]
        >>> quantizer(torch.tensor([0.9, 1.0, 5.0, 9.0])).tolist()
        [0.0, 1.0, 2.0, 3.0]
    """

    learns = True

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.widths = nn.Parameter(torch.ones(layout.slices, self.grid.qmax))
        self.start = nn.Parameter(torch.zeros(layout.slices, 1))
        self.scale = nn.Parameter(torch.ones(layout.shape))

    def observer_method(self) -> Method:
        """By default the range of least square error."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("mse")

    def magnitude_thresholds(self) -> Tensor:
        """``T``, in the middle of each interval."""
        widths, ends = (term.detach() for term in self._intervals())
        return ends[:, :-1] + widths / 2

    def soft_codes(self, magnitudes: Tensor) -> Tensor:
        """``x_b``."""
        widths, ends = self._intervals()
        inner = ends[:, 1:-1].detach().contiguous()
        values = magnitudes.detach().to(inner.dtype).contiguous()
        index = torch.searchsorted(inner, values, right=True)
        left, width = ends[:, :-1].gather(1, index), widths.gather(1, index)
        return index + ((magnitudes - left) / width).clamp(0, 1)

    def step(self) -> Tensor:
        """The factor of the output, positive."""
        return self.scale.abs().clamp(min=torch.finfo(self.scale.dtype).tiny)

    @torch.no_grad()
    def set_widths(self, widths: Tensor, scale: Tensor) -> None:
        """Replace the intervals, which begin at 0, and the factor of the output, in place.

        Args:
            widths: ``(slices, N)``.
            scale: Of ``layout.shape``.
        """
        self.widths.copy_(widths)
        self.start.zero_()
        self.scale.copy_(scale)
        self._set_ready()

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the intervals by equal ones as wide as the scale, in place.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Not used.
        """
        self.set_widths(scale.reshape(-1, 1).expand_as(self.widths), scale)

    def _intervals(self) -> tuple[Tensor, Tensor]:
        """Widths ``(slices, N)`` and ends ``(slices, N + 1)``."""
        least = _LEAST_WIDTH * self.step().detach().reshape(-1, 1)
        widths = held_at(least, self.widths)
        start = held_at(0.0, self.start)
        return widths, torch.cat([start, start + widths.cumsum(dim=1)], dim=1)
