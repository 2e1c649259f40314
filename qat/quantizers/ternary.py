"""Ternary weights (TWN): a sign or zero, and a scale.

Li et al., "Ternary Weight Networks", 2016, arXiv:1605.04711, section 2, for each filter:

    w' = alpha * t,   t = 1 if w > delta, -1 if w < -delta, else 0        Eq. 3
    delta = 0.7 * mean|w|                                                 rule of thumb
    alpha = mean of |w| over |w| > delta                                  Eq. 5
    dC/dw = dC/dw'                                                        straight-through

0.7 is the factor of the versions of 2016 and of the programs that follow them; version 3, of 2022,
has 0.75.

Differs from the paper: alpha and delta may be those of a group or of a layer, too.

Cites: li2016twn.
"""

import torch
from torch import Tensor

from qat.core.checks import require
from qat.core.codebook import Codebook
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.levels import WeightLevelsQuantizer

SHARE = 0.7
"""delta in mean magnitudes."""


class TernaryQuantizer(WeightLevelsQuantizer):
    """Fake-quantize weights to ``-alpha``, 0 and ``alpha``.

    Args:
        spec: How the weight is to be quantized, at 2 bits.
        layout: Which weights share alpha and delta.

    Attributes:
        threshold: delta of each slice, of ``layout.shape``.

    Example:
        >>> from qat.core.scheme import Method
        >>> spec = TensorSpec(bits=2, signed=True, quantizer=Method("ternary"))
        >>> TernaryQuantizer(spec, Layout())(torch.tensor([[0.1, -0.5, 0.7]]))
        tensor([[ 0.0000, -0.6000,  0.6000]])
    """

    threshold: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.register_buffer("threshold", torch.full(layout.shape, 0.5))

    def fit(self, rows: Tensor) -> None:
        """delta, then alpha, of each slice; a slice of zeros has the scale 0."""
        magnitude = rows.abs()
        threshold = SHARE * magnitude.mean(dim=1, keepdim=True)
        kept = magnitude > threshold
        total = torch.where(kept, magnitude, 0.0).sum(dim=1)
        self.scale.copy_((total / kept.sum(dim=1).clamp(min=1)).reshape(self.layout.shape))
        self.threshold.copy_(threshold.reshape(self.layout.shape))

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the largest levels, in place; thresholds are then half of them.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Not used.
        """
        super().set_qparams(scale, zero_point)
        self.threshold.copy_(self.scale / 2)

    def quantize(self, x: Tensor) -> Tensor:
        """(1), with the straight-through estimator (4)."""
        sign = torch.where(x.isnan(), x.detach(), self._sign(x.detach()))
        value = sign * self.layout.beside(self.scale, x)
        return grad_of(value, x) if torch.is_grad_enabled() and x.requires_grad else value

    def encode(self, x: Tensor) -> Tensor:
        """Indices into the codebook, int32: 0, 1 and 2.

        Raises:
            InputError: If ``x`` contains NaN, which has no code.
        """
        require(~torch.isnan(x).any(), "NaN has no code: find where the values became NaN")
        return (self._sign(x) + 1).to(torch.int32)

    def codebook(self) -> Codebook:
        """``-alpha``, 0 and ``alpha`` of each slice."""
        signs = torch.tensor([-1.0, 0.0, 1.0], device=self.scale.device)
        return Codebook.scaled(signs, self.scale, self.layout)

    def _sign(self, x: Tensor) -> Tensor:
        threshold = self.layout.beside(self.threshold, x)
        return (x > threshold).to(x.dtype) - (x < -threshold).to(x.dtype)
