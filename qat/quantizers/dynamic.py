"""Range taken from the very tensor that is quantized, at inference.

As ONNX DynamicQuantizeLinear (https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html)
does: extremes over the whole tensor, batch included, widened to hold zero, asymmetric. So a
result depends on the batch it is computed in.

Differs from ONNX: any width and symmetric grids are possible; an all-zero tensor gets scale 1.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core import affine
from qat.core.layout import Layout
from qat.core.qparams import QParams, qparams_from_range
from qat.core.scheme import TensorSpec
from qat.observers.base import batch_extremes, finite_extremes
from qat.quantizers.base import Quantizer


class DynamicQuantizer(Quantizer):
    """Fake-quantize an activation over its own extremes; needs no calibration, keeps no state.

    Raises:
        ValueError: If the layout has more than one scale, or an observer was named.
    """

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
        """Nothing is to be kept."""

    def quantize(self, x: Tensor) -> Tensor:
        """Round over the extremes of ``x``."""
        return affine.fake_quantize(x, self.qparams_of(x))

    def qparams_of(self, x: Tensor) -> QParams:
        """Scale and zero point that ``x`` itself gives."""
        # A rank trains on a part of each batch, but evaluates whole ones, not all the same number.
        extremes = batch_extremes if self.training else finite_extremes
        low, high = extremes(self.layout.sliced(x.detach()))
        scale, zero_point = qparams_from_range(
            low,
            high,
            self.grid,
            symmetric=self.spec.symmetric,
            power_of_two=self.spec.scale == "power_of_two",
        )
        return QParams(scale, zero_point, self.grid, self.layout)

    def qparams(self) -> QParams:
        """Refused: there are none before an input is seen.

        Raises:
            ValueError: Always.
        """
        raise InputError("a dynamic quantizer has no scale before it sees its input")

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Refused, as :meth:`qparams`.

        Raises:
            ValueError: Always.
        """
        raise InputError("a dynamic quantizer takes its scale from each input")

    def extra_repr(self) -> str:
        """One line for ``print(net)``."""
        return f"{self.grid.bits} bits, range of each batch"


def is_dynamic(module: torch.nn.Module) -> bool:
    """True for a quantizer whose range is taken at inference."""
    return isinstance(module, DynamicQuantizer)
