"""The classic fake quantizer: a range that is set or observed.

Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, arXiv:1712.05877, section 3:

    q = clamp(round(r / scale) + zero_point, qmin, qmax),  r' = scale * (q - zero_point)

The gradient of r is passed inside the range and stopped outside it; the range gets none, and
follows the data instead. Weights follow their current extremes, activations a moving average.

Differs from the paper: rounding is half to even; the moving average starts at the first batch.
"""

import torch
from torch import Tensor

from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer


class MinMaxQuantizer(Quantizer):
    """Fake-quantize over an observed or a set range (:meth:`set_range`).

    While a network trains the range follows its values until ``frozen``, if the observer is
    one that follows training (``latest``, ``ema``); histogram ranges stay as calibrated.
    """

    scale: Tensor
    zero_point: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.register_buffer("scale", torch.ones(layout.shape))
        self.register_buffer("zero_point", torch.zeros(layout.shape))

    def observer_method(self) -> Method:
        """By default a weight's current extremes, and a moving average of an activation's."""
        if self.spec.observer.name != "default":
            return self.spec.observer
        return Method("latest" if self.layout.axis == 0 else "ema")

    def forward(self, x: Tensor) -> Tensor:
        """As the base, after following the values of a training step.

        Of tensors that share the range none is known when the first is rounded: all of a step have
        the range of before it, and what follows is the union.
        """
        if not (self.phase == "quantize" and self.training and self._follows()):
            return super().forward(x)
        if self.observer.uses == 1:
            self.observe(x)
            self.adopt_range()
            return super().forward(x)
        rounded = super().forward(x)
        self.observe(x)
        if not self.observer.is_open:
            self.adopt_range()
        return rounded

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Take a scale and a zero point, in place."""
        self.scale.copy_(scale)
        self.zero_point.copy_(zero_point)
        self._set_ready()

    def qparams(self) -> QParams:
        """Scale and zero point as they are now."""
        return QParams(self.scale, self.zero_point, self.grid, self.layout)

    def _follows(self) -> bool:
        return not self.frozen and self.observer.follows_training
