"""A learned step of an activation, whose rounding may be dropped at random.

The step has the gradient of LSQ (Esser et al., ICLR 2020, arXiv:1902.08153, Eq. 3), with a zero
point ``z`` that stays:

    d v_hat / d s = round(v / s) - v / s    inside the range
                    qmin - z or qmax - z    outside it

With dropping (Wei et al., "QDrop", ICLR 2022, arXiv:2203.05740) each element is rounded with
probability ``1 - drop``, independently, and passes unchanged otherwise.

Differs from LSQ: the gradient has no gain. The steps are trained by Adam, which a constant factor
of the gradient does not change.

Cites: esser2020lsq, wei2022qdrop.
"""

import torch
from torch import Tensor, nn

from qat.core.qparams import QParams
from qat.core.rounding import Rounding, by_slopes, rounded
from qat.quantizers.base import Quantizer

_LEVELS = 256  # of a random byte, so that a probability is a multiple of 1 / 256


class LearnedStep(nn.Module):
    """Stands for the quantizer of an activation while its step is learned.

    Args:
        quantizer: The quantizer, calibrated, with an affine grid.
        drop: Probability that an element passes unrounded, a multiple of 1/256.

    Attributes:
        step: The parameter, of the shape of the quantizer's scales.
        generator: Random numbers of the present iteration; needed if ``drop`` is not 0.

    Example:
        >>> from qat.core.layout import Layout
        >>> from qat.core.scheme import TensorSpec
        >>> from qat.quantizers.minmax import MinMaxQuantizer
        >>> quantizer = MinMaxQuantizer(TensorSpec(bits=3, signed=True), Layout())
        >>> quantizer.set_qparams(torch.tensor([0.5]), torch.zeros(1))
        >>> learned = LearnedStep(quantizer)
        >>> y = learned(torch.tensor([0.6, 9.0]))
        >>> y.sum().backward()
        >>> y.tolist(), f"{learned.step.grad.item():.1f}"  # (1 - 1.2) + 3
        ([0.5, 1.5], '2.8')
    """

    def __init__(self, quantizer: Quantizer, drop: float = 0.0) -> None:
        super().__init__()
        own = quantizer.qparams()
        self.step = nn.Parameter(own.scale.detach().clone())
        self.drop = drop
        self.generator: torch.Generator | None = None
        self._zero_point = own.zero_point.detach().clone()
        self._grid, self._layout = own.grid, own.layout

    def forward(self, x: Tensor) -> Tensor:
        """Round ``x``, each element with probability ``1 - drop``."""
        y = rounded(x, self._rounding())
        if not self.drop or self.generator is None:
            return y
        return torch.where(keeps(x, self.drop, self.generator), x, y)

    def qparams(self) -> QParams:
        """The learned step as scale, with the zero point of the quantizer."""
        return QParams(self._scale().detach(), self._zero_point, self._grid, self._layout)

    def _scale(self) -> Tensor:
        return self.step.abs().clamp(min=torch.finfo(self.step.dtype).tiny)

    def _rounding(self) -> Rounding:
        with torch.no_grad():
            terms = self._scale().reshape(-1, 1), self._zero_point.reshape(-1, 1)
        return Rounding(*terms, self._grid, self._layout, _gradients, learned=self.step)


def keeps(x: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Where an element keeps its float value: a random mask of the shape of ``x``.

    Args:
        x: The tensor.
        probability: Share of true elements, a multiple of 1/256.
        generator: Source of the random numbers.
    """
    level = round(probability * _LEVELS)
    if level >= _LEVELS:
        return torch.ones_like(x, dtype=torch.bool)
    # One random number of 64 bits serves 8 elements: drawing takes as long as a convolution else.
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device)
    words.random_(-(2**63), None, generator=generator)
    mask = words.view(torch.uint8)[: x.numel()] < level
    return mask.as_strided(x.shape, x.stride()) if _is_dense(x) else mask.reshape(x.shape)


def _is_dense(x: Tensor) -> bool:
    return x.is_contiguous() or (x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last))


@by_slopes
def _gradients(
    grad: Tensor, y: Tensor, step: Tensor, zero_point: Tensor, qmin: int, qmax: int
) -> tuple[Tensor, Tensor]:
    """The gradient of rows ``(slices, n)``, and that of their rounded values by the step."""
    steps = y / step
    codes = steps + zero_point
    inside = (codes > qmin) & (codes < qmax)
    slope = torch.where(inside, torch.round(steps) - steps, codes.clamp(qmin, qmax) - zero_point)
    return torch.where(inside, grad, 0.0), slope
