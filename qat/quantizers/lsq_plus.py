"""LSQ+: a learned step and a learned offset, for activations that are not symmetric about 0.

Bhalgat et al., "LSQ+: Improving low-bit quantization through learnable offsets and better
initialization", CVPR Workshops 2020, arXiv:2004.09576, section 3.

    x_bar = round(clip((x - beta) / s, n, p)),   x_hat = x_bar s + beta        (a)
    d x_hat / d s    = x_bar - (x - beta) / s   inside,   n or p   outside     (b)
    d x_hat / d beta = 0   inside,   1   outside                               (c)
    s, beta at the start: those of least square error                          section 3.2

A code has to stand for a value that integers can express: hardware adds an integer zero point
after rounding. So the offset that is used is ``-z s`` with ``z = round(-beta / s)``, clamped to
the codes, and real zero is always a code. ``beta`` itself stays real, and its gradient passes
through that rounding.

Differs from the paper: the integer zero point; the gradients of step and offset are both
multiplied by ``1 / sqrt(N p)``, as LSQ's; one pair per channel is possible; codes are unsigned,
since the offset makes room for negative values. The paper's weights have a symmetric step: take
``lsq`` for them. ``start=paper`` and ``start=mse`` are the same here.

Cites: bhalgat2020lsqplus.
"""

import torch
from torch import Tensor, nn

from qat.core.affine import quantize_dequantize
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.rounding import Rounding, by_slopes
from qat.core.scheme import TensorSpec
from qat.quantizers.learned_scale import LearnedScale


class LSQPlusQuantizer(LearnedScale):
    """Fake-quantize an activation with a learned step and a learned offset.

    Args:
        spec: How the tensor is to be quantized; with ``symmetric=False``.
        layout: Which elements of the tensor share step and offset.
        start: First step and offset. ``mse`` and ``paper``: those of least square error.
            ``observer``: from the range of the observer of the spec.

    Raises:
        InputError: If LSQ+ cannot have the spec, ``start`` is unknown, or the spec names an
            observer that ``start`` ignores.

    Example:
        >>> spec = TensorSpec(bits=2, signed=False, symmetric=False)
        >>> quantizer = LSQPlusQuantizer(spec, Layout())
        >>> quantizer.set_range(-1.0, 2.0)
        >>> quantizer(torch.tensor([-5.0, 0.2, 1.6])).tolist(), quantizer.offset.item()
        ([-1.0, 0.0, 2.0], -1.0)
    """

    method = "lsq_plus"

    def __init__(self, spec: TensorSpec, layout: Layout, start: str = "mse") -> None:
        super().__init__(spec, layout, start)
        self.step = nn.Parameter(torch.ones(layout.shape))
        self.offset = nn.Parameter(torch.zeros(layout.shape))

    def rounding(self, x: Tensor) -> Rounding:
        """(a) to (c), as :mod:`qat.core.rounding` computes them."""
        own = self.qparams()
        return Rounding(
            own.scale.reshape(-1, 1),
            own.zero_point.reshape(-1, 1),
            self.grid,
            self.layout,
            _gradients,
            self.gain(x),
            self.step,
            self.offset,
        )

    def in_plain_operations(self, x: Tensor) -> Tensor:
        """(a) to (c) for a training step that is compiled as a whole."""
        own, grid, gain = self.qparams(), self.grid, self.gain(x)
        scale, zero_point = (self.layout.beside(t, x) for t in (own.scale, own.zero_point))
        inside, slope = _inside_and_slope(x, scale, zero_point, grid.qmin, grid.qmax)
        step = self.layout.beside(self.step.abs() * gain, x)
        offset = self.layout.beside(self.offset * gain, x)
        source = torch.where(inside, x, x.detach() + offset) + slope.detach() * step
        return grad_of(quantize_dequantize(x, scale, zero_point, grid.qmin, grid.qmax), source)

    @torch.no_grad()
    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace step and offset, in place.

        Args:
            scale: The step, of ``layout.shape``.
            zero_point: Code of real zero, of ``layout.shape``; the offset is ``-zero_point scale``.
        """
        self.step.copy_(scale)
        self.offset.copy_(-zero_point * scale)
        self._set_ready()

    @torch.no_grad()
    def qparams(self) -> QParams:
        """The magnitude of the step, and ``round(-offset / step)`` within the codes."""
        scale = self.held(self.step.abs().clamp(min=torch.finfo(self.step.dtype).tiny))
        zero_point = torch.round(-self.offset / scale).clamp(self.grid.qmin, self.grid.qmax)
        return QParams(scale, zero_point + 0.0, self.grid, self.layout)  # + 0.0: no negative zero


def _inside_and_slope(
    y: Tensor, scale: Tensor, zero_point: Tensor, qmin: int, qmax: int
) -> tuple[Tensor, Tensor]:
    """Where values are not clipped, and the gradient of the rounded values by the step."""
    steps = y / scale
    codes = steps + zero_point
    inside = (codes > qmin) & (codes < qmax)
    return inside, torch.where(inside, torch.round(steps) - steps, codes.clamp(qmin, qmax))


def _slopes(
    grad: Tensor, y: Tensor, scale: Tensor, zero_point: Tensor, qmin: int, qmax: int
) -> tuple[Tensor, Tensor]:
    """The gradient of rows ``(slices, n)``, and that of their rounded values by the scale."""
    inside, slope = _inside_and_slope(y, scale, zero_point, qmin, qmax)
    return torch.where(inside, grad, 0.0), slope


_gradients = by_slopes(_slopes, has_offset=True)
