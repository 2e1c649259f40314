"""Shift-based quantizer of WAGE.

Wu et al., "Training and Inference with Integers in Deep Neural Networks", ICLR 2018,
arXiv:1802.04680. Values are divided by a power of two, so that they lie near ``-1 .. 1``, and then
rounded to multiples of ``2^(1 - b)``. For signed codes of b bits:

    Shift(r) = 2^round(log2 r)
    scale    = Shift(max |r|) * 2^(1 - b)
    q        = clamp(round(r / scale), qmin, qmax)

The power of two is the nearest one, not the next larger one, so the largest values may be clipped.

Differences from the paper: all tensors are scaled in this way (the paper scales errors in this way,
and weights by their initialisation); unsigned codes have twice as many steps up to ``Shift``; the
most negative code is used unless the scheme is narrow; rounding is half to even, never stochastic.
"""

import torch
from torch import Tensor

from qat import TensorSpec
from qat.extend import Layout, MinMaxQuantizer


class ShiftQuantizer(MinMaxQuantizer):
    """A quantizer whose step is the nearest power of two of the largest magnitude, over the codes.

    Raises:
        ValueError: If the scheme is asymmetric, because this method has no zero point.
    """

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        if not spec.symmetric:
            raise ValueError("ShiftQuantizer is symmetric: set symmetric=true")
        super().__init__(spec, layout)

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Choose the step so that the codes represent about ``rmin .. rmax``."""
        largest = torch.maximum(torch.as_tensor(rmin).abs(), torch.as_tensor(rmax).abs())
        reach = shift(largest) * self.grid.qmax / (self.grid.qmax + 1)
        super().set_range(-reach, reach)


def shift(x: Tensor) -> Tensor:
    """The power of two nearest to each value on a logarithmic scale; 0 for 0."""
    return torch.exp2(x.log2().round())
