"""Shift-based quantizer of WAGE.

Wu et al., "Training and Inference with Integers in Deep Neural Networks", ICLR 2018,
arXiv:1802.04680: values are brought near ``-1 .. 1`` by a power of two, then rounded in steps of
``2^(1 - bits)``; signed codes of b bits:

    Shift(r) = 2^round(log2 r)
    scale    = Shift(max |r|) * 2^(1 - b)
    q        = clamp(round(r / scale), qmin, qmax)

The power of two is the nearest, not the next above, so the largest values may be clipped.

Differs from the paper: the same for any tensor (the paper scales errors so, and weights by their
initialisation); unsigned codes have twice as many steps up to ``Shift``; the most negative code is
used unless the scheme is narrow; rounding is half to even, never stochastic.
"""

import torch
from torch import Tensor

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.minmax import MinMaxQuantizer


class ShiftQuantizer(MinMaxQuantizer):
    """Steps are the power of two nearest to the largest magnitude, over the codes on one side.

    Raises:
        ValueError: If the scheme is asymmetric: there is no zero point to choose.
    """

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        if not spec.symmetric:
            raise ValueError("ShiftQuantizer is symmetric: set symmetric=true")
        super().__init__(spec, layout)

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Represent about ``rmin .. rmax``."""
        largest = torch.maximum(torch.as_tensor(rmin).abs(), torch.as_tensor(rmax).abs())
        reach = shift(largest) * self.grid.qmax / (self.grid.qmax + 1)
        super().set_range(-reach, reach)


def shift(x: Tensor) -> Tensor:
    """The power of two nearest to each value, by its logarithm; 0 for 0."""
    return torch.exp2(x.log2().round())
