"""Floats of few bits with a scale: FP8 (E4M3, E5M2), FP6 (E2M3, E3M2) and FP4 (E2M1).

Micikevicius et al. 2022, "FP8 Formats for Deep Learning", arXiv:2209.05433, section 3 and 4.2, and
the element formats of the OCP Microscaling Formats Specification v1.0, section 5.3:

    scale = max(|rmin|, |rmax|) / largest            largest value of the format, such as 448
    r' = scale * round(r / scale)                    to the nearest value, half to even mantissa

The gradient of r is 1 inside ``-largest * scale .. largest * scale`` and 0 outside it, where values
saturate. Ranges are found as by :mod:`qat.quantizers.minmax`.

Differs from the paper: scales may be set per channel or group, and by any observer. An observer
that minimises an error (``mse``) does so for the integers of equal width.

Cites: micikevicius2022fp8.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.checks import require
from qat.core.codebook import Codebook
from qat.core.formats import FLOAT_FORMATS
from qat.core.grid import IntGrid
from qat.core.kernels import body
from qat.core.layout import Layout
from qat.core.minifloat import codes_of, levels_of, rounded_to, values_of
from qat.core.qparams import QParams, qparams_from_range, round_up_to_power_of_two
from qat.core.scheme import TensorSpec
from qat.quantizers.minmax import MinMaxQuantizer

_OF_ONE = IntGrid(2, signed=True)
"""A grid whose largest code is 1, so that its scale is the largest magnitude of a range."""
_EDGE = 1 + 1e-6  # the scale is rounded, which can move the end of the range below its value


class MinifloatQuantizer(MinMaxQuantizer):
    """Fake-quantize to a float format of 8 bits or fewer.

    Codes are the bits of the format: sign, exponent, mantissa.

    Args:
        spec: How the tensor is to be quantized; its format is one of ``FLOAT_FORMATS``.
        layout: Which elements of the tensor share a scale.

    Example:
        >>> quantizer = MinifloatQuantizer(TensorSpec(format="fp4_e2m1", signed=True), Layout())
        >>> quantizer.set_range(-12.0, 12.0)
        >>> quantizer.eval()(torch.tensor([0.9, 5.0, -99.0])).tolist()  # scale 2
        [1.0, 4.0, -12.0]
    """

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.name = spec.format
        self.largest = FLOAT_FORMATS[spec.format].largest

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Let the largest value of the format be the end of a range that contains both bounds.

        Args:
            rmin: Smallest value, a number or one for each slice.
            rmax: Largest value, likewise.

        Raises:
            InputError: If a bound is NaN or infinite, or ``rmin > rmax``.
        """
        low, high = (self._of_each_slice(bound, self.scale) for bound in (rmin, rmax))
        ends, zero_point = qparams_from_range(low, high, _OF_ONE, symmetric=True)
        scale = (ends / self.largest).clamp(min=torch.finfo(ends.dtype).tiny)
        if self.spec.scale == "power_of_two":
            scale = round_up_to_power_of_two(scale)
        self.set_qparams(scale, zero_point)

    def quantize(self, x: Tensor) -> Tensor:
        """Round ``x``; the gradient passes where it does not saturate."""
        rows, scale = self.layout.sliced(x), self.scale.reshape(-1, 1)
        value = self.layout.unsliced(_rounded(rows.detach(), scale, self.name), x)
        if not (torch.is_grad_enabled() and x.requires_grad):
            return value
        ends = self.layout.beside(self.scale, x) * (self.largest * _EDGE)
        return value + torch.where(x.detach().abs() <= ends, x - x.detach(), 0.0)

    def encode(self, x: Tensor) -> Tensor:
        """The bits of the rounded values, as int32.

        Raises:
            InputError: If ``x`` contains NaN, which has no code.
        """
        require(~torch.isnan(x).any(), "NaN has no code: find where the values became NaN")
        values = _in_format(self.layout.sliced(x), self.scale.reshape(-1, 1), self.name)
        return self.layout.unsliced(codes_of(values, self.name), x)

    def decode(self, codes: Tensor) -> Tensor:
        """Values of codes, in the dtype of the scale."""
        rows = values_of(self.layout.sliced(codes), self.name).to(self.scale.dtype)
        return self.layout.unsliced(rows * self.scale.reshape(-1, 1), codes)

    def code_range(self) -> tuple[int, int]:
        """``(bits, 0)``: codes are the bits of the format."""
        return self.spec.bits, 0

    def codebook(self) -> Codebook:
        """The different values in ascending order; their indices are not the codes."""
        levels = levels_of(self.name).to(self.scale.device)
        return Codebook(levels * self.scale.reshape(-1, 1).float(), self.layout)

    def qparams(self) -> QParams:
        """Not available: steps of floats are not equal, see :meth:`codebook`.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.name} has no common step: use codebook()")

    def extra_repr(self) -> str:
        """Text within the parentheses of ``print(net)``."""
        return f"{self.name}, {self.spec.granularity}"


def _in_format(x: Tensor, scale: Tensor, name: str) -> Tensor:
    return rounded_to(x / scale, name)


@body
def _rounded(x: Tensor, scale: Tensor, name: str) -> Tensor:
    return _in_format(x, scale, name) * scale
