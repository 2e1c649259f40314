"""The weight part of nonuniform-to-uniform quantization (N2UQ): the step that keeps entropy.

Liu et al., CVPR 2022, arXiv:2111.14826, section 3.2.3. Weights are scaled so that they occupy the
levels about equally often, which keeps the entropy of the codes high:

    w' = w (2^(b-1) / (2^b - 1)) / mean|w|
    w' is clipped to -1..1 and rounded to 2^b even levels

The distance of two levels is ``2 / (2^b - 1)`` of w', which is ``mean|w| / 2^(b-2)`` of w. The
gradient of w is 1 inside the clip and 0 outside it; the mean gets none.

Differs from the paper: the levels are whole multiples of this step, ``-2^(b-1) .. 2^(b-1) - 1``, so
that zero is one of them and integer runtimes multiply the codes; in the paper they lie half a step
beside. Levels keep the unit of w instead of that of w'. The mean may be that of a channel or a
group.

Cites: liu2022n2uq.
"""

import torch
from torch import Tensor

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.minmax import MinMaxQuantizer


class N2UQWeightQuantizer(MinMaxQuantizer):
    """Fake-quantize weights with the step ``mean|w| / 2^(bits-2)``, which follows training.

    Args:
        spec: How the weight is to be quantized; symmetric.
        layout: Which weights share a step.

    Example:
        >>> quantizer = N2UQWeightQuantizer(TensorSpec(bits=2, signed=True), Layout())
        >>> quantizer(torch.tensor([[0.2, -0.4, 1.2]]))  # step 0.6
        tensor([[ 0.0000, -0.6000,  0.6000]])
    """

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self._mean = torch.ones(layout.slices)

    def observer_method(self) -> Method:
        """Only the current weights count."""
        return Method("latest")

    def observe(self, x: Tensor) -> None:
        """Compute the mean magnitude.

        Raises:
            InputError: If ``x`` contains NaN or infinity; the message names the tensor.
        """
        super().observe(x)
        self._mean = self.layout.sliced(x.detach()).abs().mean(dim=1)

    def adopt_range(self) -> None:
        """Take the step that follows from the mean magnitude."""
        self.set_range(0.0 * self._mean, self._mean * (self.grid.qmax / 2 ** (self.grid.bits - 2)))
