"""The weight part of nonuniform-to-uniform quantization (N2UQ): levels that keep entropy.

Liu et al., CVPR 2022, arXiv:2111.14826, section 3.2.3. Weights are scaled so that they occupy the
levels about equally often, which keeps the entropy of the codes high:

    w' = w (2^(b-1) / (2^b - 1)) / mean|w|
    w' is clipped to -1..1 and rounded to 2^b even levels

The outermost level, 1 of w', is ``mean|w| (2^b - 1) / 2^(b-1)`` of w, and two levels lie
``mean|w| / 2^(b-2)`` apart. None of them is zero. The gradient of w is 1 inside the clip and 0
outside it; the mean gets none.

Differs from the paper: levels keep the unit of w instead of that of w', and the mean may be that of
a channel or a group. The authors' program passes the gradient outside the clip too, in the unit of
w', so that its size depends on that of the weights; here it is that of clip and rounding.

Cites: liu2022n2uq.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.declared import unsupported
from qat.quantizers.midrise import MidRiseQuantizer


class N2UQWeightQuantizer(MidRiseQuantizer):
    """Round a weight to levels that follow from its mean magnitude.

    Args:
        spec: How the weight is to be quantized; symmetric.
        layout: Which weights share a mean.

    Raises:
        InputError: If the method cannot have the spec.

    Example:
        >>> quantizer = N2UQWeightQuantizer(TensorSpec(bits=2, signed=True), Layout())
        >>> w = torch.tensor([[0.2, -0.4, 1.2]])  # mean 0.6: levels ±0.3 and ±0.9
        >>> quantizer.set_outer(quantizer.outer_level(w))
        >>> quantizer(w)
        tensor([[ 0.3000, -0.3000,  0.9000]])
    """

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        reason = unsupported("n2uq_weight", spec)
        if reason is not None:
            raise InputError(f"n2uq_weight cannot have {reason}")
        super().__init__(spec, layout)

    def outer_level(self, rows: Tensor) -> Tensor:
        """``mean|w| (2^bits - 1) / 2^(bits - 1)``."""
        mean = rows.abs().mean(dim=1, keepdim=True)
        return mean * (self._last_code() / 2 ** (self.spec.bits - 1))

    def quantize(self, x: Tensor) -> Tensor:
        """Round each value to its nearest level; the gradient ends at the outermost levels."""
        rows = self.layout.sliced(x)
        with torch.no_grad():
            self.follow(rows)
            value = self.layout.unsliced(self.levels_of(self.codes(rows)), x)
        outer = self.outer.reshape(-1, 1)
        return grad_of(value, self.layout.unsliced(rows.clamp(-outer, outer), x))
