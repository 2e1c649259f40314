"""SAWB: weights whose outermost level follows from two of their moments.

Choi et al., "Bridging the Accuracy Gap for 2-bit Quantized Neural Networks (QNN)", 2018,
arXiv:1807.06964, statistics-aware weight binning (also "Accurate and Efficient 2-bit Quantized
Neural Networks", SysML 2019).

    a = c1 sqrt(E[w^2]) + c2 E[|w|]                    the outermost level
    levels: a (2 i - n) / n,  i = 0 .. n = 2^bits - 1
    gradient of w: 1 everywhere                        straight-through

c1 and c2 were fitted to the level of least square error over six distributions, for each width. On
normal values the result is 1.4 to 2 % inside of Max's optimum at 2 to 5 bits, and 3 % at 8.

Differs from the paper: one level per channel or group is possible; where the weights are almost
all equal in magnitude the formula becomes small or negative, and the level is then at least
``E[|w|]``.

Cites: choi2018sawb.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.declared import unsupported
from qat.quantizers.midrise import MidRiseQuantizer

COEFFICIENTS = {
    2: (3.12, -2.064),
    3: (7.509, -6.892),
    4: (12.68, -12.80),
    5: (17.74, -18.64),
    8: (31.76, -35.04),
}
"""Bits → ``(c1, c2)``."""


class SAWBQuantizer(MidRiseQuantizer):
    """Round a weight to levels that follow from ``E[w^2]`` and ``E[|w|]`` of each slice.

    Args:
        spec: How the weight is to be quantized; symmetric, of 2, 3, 4, 5 or 8 bits.
        layout: Which elements of the weight share their moments.

    Raises:
        InputError: If SAWB cannot have the spec.

    Example:
        >>> quantizer = SAWBQuantizer(TensorSpec(bits=2, signed=True), Layout())
        >>> w = torch.tensor([[-2.0, -1.0, 1.0, 2.0]])  # 3.12 sqrt(2.5) - 2.064 * 1.5 = 1.8372
        >>> quantizer.set_outer(quantizer.outer_level(w))
        >>> [round(value, 4) for value in quantizer(w)[0].tolist()]
        [-1.8372, -0.6124, 0.6124, 1.8372]
    """

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        reason = unsupported("sawb", spec)
        if reason is not None:
            raise InputError(f"sawb cannot have {reason}")
        if spec.observer.name != "default":
            raise InputError(
                f"sawb would ignore the observer {spec.observer.name!r}: leave it at default"
            )
        super().__init__(spec, layout)

    def outer_level(self, rows: Tensor) -> Tensor:
        """``c1 sqrt(E[w^2]) + c2 E[|w|]``, but at least ``E[|w|]``."""
        c1, c2 = COEFFICIENTS[self.spec.bits]
        mean = rows.abs().mean(dim=1, keepdim=True)
        return torch.maximum(c1 * rows.square().mean(dim=1, keepdim=True).sqrt() + c2 * mean, mean)

    def quantize(self, x: Tensor) -> Tensor:
        """Round each value to its nearest level."""
        with torch.no_grad():
            rows = self.layout.sliced(x)
            self.follow(rows)
            value = self.layout.unsliced(self.levels_of(self.codes(rows)), x)
        return grad_of(value, x)
