"""Learned step size quantization (LSQ).

Esser et al., "Learned Step Size Quantization", ICLR 2020, arXiv:1902.08153.

    v_bar = round(clip(v / s, qmin, qmax))          Eq. 1
    v_hat = v_bar * s                               Eq. 2
    d v_hat / d s = round(v / s) - v / s            Eq. 3, inside the range;
                    qmin or qmax                    outside it
    d v_hat / d v = 1 inside the range, 0 outside   Eq. 5
    g = 1 / sqrt(N * qmax)                          section 2.2, scales the gradient of s

Differs from the paper: one step per channel or group is possible, and N is then the number of
elements that share a step. For an activation N does not count the batch axis; if tensors share a
step, each has its own N. The magnitude of the step is used, so that a step that becomes negative
acts as a positive one. By default training starts from the step of least square error, since the
start of the paper is 1.5 to 4.6 times wider at 2 to 8 bits, which is too wide for short trainings.

Cites: esser2020lsq.
"""

import torch
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.rounding import Rounding, by_slopes
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.learned_scale import LearnedScale


class LSQQuantizer(LearnedScale):
    """Fake-quantize with a step that is trained like a weight.

    Args:
        spec: How the tensor is to be quantized; symmetric, with a free scale.
        layout: Which elements of the tensor share a step.
        start: First step. ``mse``: that of least square error. ``paper``: ``2 mean|v| /
            sqrt(qmax)``. ``observer``: from the range of the observer of the spec.

    Raises:
        InputError: If the spec is asymmetric or has power-of-two scales, ``start`` is unknown, or
            the spec names an observer that ``start`` ignores.

    Example:
        >>> quantizer = LSQQuantizer(TensorSpec(bits=3, signed=True), Layout())
        >>> quantizer.set_qparams(torch.tensor([0.5]), torch.zeros(1))
        >>> y = quantizer(torch.tensor([0.6, 9.0]))
        >>> y.sum().backward()
        >>> y.tolist(), f"{quantizer.step.grad.item():.4f}"  # ((1 - 1.2) + 3) / sqrt(2 * 3)
        ([0.5, 1.5], '1.1431')
    """

    method = "lsq"
    paper_observer = Method("mean_abs")

    def __init__(self, spec: TensorSpec, layout: Layout, start: str = "mse") -> None:
        if not spec.symmetric:
            raise InputError(
                "lsq learns a step and no zero point: set symmetric=true, or use minmax or lsq_plus"
            )
        if spec.scale != "free":
            raise InputError("lsq learns a free step: set scale=free, or use minmax or tqt")
        super().__init__(spec, layout, start)
        self.step = nn.Parameter(torch.ones(layout.shape))

    def rounding(self, x: Tensor) -> Rounding:
        """Eq. 1 to 5, as :mod:`qat.core.rounding` computes them."""
        learned = self.step if self.least_scale is None else None
        # The gradient of the magnitude needs no nodes of its own in the graph.
        with torch.set_grad_enabled(learned is None and torch.is_grad_enabled()):
            step = self._positive_step().reshape(-1, 1)
            zero = torch.zeros_like(step)
        return Rounding(step, zero, self.grid, self.layout, _gradients, self.gain(x), learned)

    def in_plain_operations(self, x: Tensor) -> Tensor:
        """Eq. 1 and 2, with the gradients of Eq. 3 and 5."""
        step = self._positive_step()
        step = grad_of(step, step * self.gain(x))
        qmin, qmax = self.grid.qmin, self.grid.qmax
        step = self.layout.beside(step, x)
        steps = x / step
        inside = (steps > qmin) & (steps < qmax)
        clipped = torch.where(inside, steps, steps.detach().clamp(qmin, qmax))
        return grad_of(torch.round(clipped), clipped) * step

    @torch.no_grad()
    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the step, in place, since an optimizer may already refer to the parameter.

        Args:
            scale: The step, of ``layout.shape``.
            zero_point: Not used.
        """
        self.step.copy_(scale)
        self._set_ready()

    def qparams(self) -> QParams:
        """The magnitude of the step as scale, and zero point 0."""
        step = self._positive_step().detach()
        return QParams(step, torch.zeros_like(step), self.grid, self.layout)

    def _positive_step(self) -> Tensor:
        step = self.step.abs().clamp(min=torch.finfo(self.step.dtype).tiny)
        return self.held(step)


@by_slopes
def _gradients(
    grad: Tensor, y: Tensor, step: Tensor, zero_point: Tensor, qmin: int, qmax: int
) -> tuple[Tensor, Tensor]:
    """The gradient of rows ``(slices, n)``, and that of their rounded values by the step."""
    steps = y / step
    inside = (steps > qmin) & (steps < qmax)
    slope = torch.where(inside, torch.round(steps) - steps, steps.clamp(qmin, qmax))
    return torch.where(inside, grad, 0.0), slope
