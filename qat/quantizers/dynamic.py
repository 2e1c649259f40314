"""Dynamic quantization: each tensor is quantized over its own range, at inference.

As in ONNX DynamicQuantizeLinear (https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html):
asymmetric, over the extremes of the whole tensor with its batch axis, widened to contain zero. So
the result for an image depends on the other images of its batch.

Differs from ONNX: any width and symmetric grids are possible; a tensor of zeros has scale 1.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.layout import Layout
from qat.core.qparams import QParams, qparams_from_range
from qat.core.rounding import fake_quantize
from qat.core.scheme import TensorSpec
from qat.observers.base import batch_extremes, finite_extremes
from qat.quantizers.base import Quantizer


class DynamicQuantizer(Quantizer):
    """Fake-quantize an activation over its own extremes, without calibration and without state.

    Args:
        spec: How the tensor is to be quantized.
        layout: A single scale for the whole tensor.

    Raises:
        InputError: If the layout has more than one scale, or the spec names an observer.

    Example:
        >>> spec = TensorSpec(bits=2, signed=False, symmetric=False)
        >>> DynamicQuantizer(spec, Layout())(torch.tensor([0.0, 0.4, 3.0]))
        tensor([0., 0., 3.])
    """

    reads_each_input = True

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        if layout.axis is not None:
            raise InputError("dynamic takes one range per tensor: set granularity=tensor")
        if spec.observer.name != "default":
            raise InputError(
                f"dynamic would ignore the observer {spec.observer.name!r}: leave it at default"
            )
        super().__init__(spec, layout)
        self._set_ready()

    def observe(self, x: Tensor) -> None:
        """Do nothing: there are no statistics."""

    def quantize(self, x: Tensor) -> Tensor:
        """Round over the extremes of ``x``."""
        return fake_quantize(x, self.qparams_of(x))

    def qparams_of(self, x: Tensor) -> QParams:
        """Scale and zero point from the extremes of ``x``.

        Raises:
            InputError: If ``x`` contains NaN or infinity.
        """
        # In training every rank has a part of each batch. In evaluation it has whole batches, and
        # their number differs between ranks, so that no reduction over ranks is possible.
        extremes = batch_extremes if self.training else finite_extremes
        ends = extremes(self.layout.sliced(x.detach()))
        # Mixed precision may give a tensor of fewer bits, in which no scale is computed.
        low, high = (end.to(torch.promote_types(end.dtype, torch.float32)) for end in ends)
        scale, zero_point = qparams_from_range(
            low,
            high,
            self.grid,
            symmetric=self.spec.symmetric,
            power_of_two=self.spec.scale == "power_of_two",
        )
        return QParams(scale, zero_point, self.grid, self.layout)

    def qparams(self) -> QParams:
        """Not available: scale and zero point depend on the input, see :meth:`qparams_of`.

        Raises:
            InputError: Always.
        """
        raise InputError("a dynamic quantizer has no scale before it sees its input")

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Not possible, as :meth:`qparams`.

        Args:
            scale: Not used.
            zero_point: Not used.

        Raises:
            InputError: Always.
        """
        raise InputError("a dynamic quantizer takes its scale from each input")

    def extra_repr(self) -> str:
        """Text within the parentheses of ``print(net)``."""
        return f"{self.grid.bits} bits, range of each batch"


def is_dynamic(module: torch.nn.Module) -> bool:
    """True for a quantizer whose scales are computed from each input at inference."""
    return isinstance(module, Quantizer) and module.reads_each_input
