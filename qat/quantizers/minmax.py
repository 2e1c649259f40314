"""The standard fake quantizer: its range is set or observed.

Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, arXiv:1712.05877, section 3:

    q = clamp(round(r / scale) + zero_point, qmin, qmax),  r' = scale * (q - zero_point)

The gradient of r is 1 inside the range and 0 outside it. The range gets no gradient; it follows the
data: the current extremes of a weight, a moving average of the extremes of an activation.

Differs from the paper: rounding is half to even; the moving average starts at the first batch.

Cites: jacob2018integer.
"""

import torch
from torch import Tensor

from qat.core.layout import Layout
from qat.core.qparams import QParams, round_up_to_power_of_two
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer


class MinMaxQuantizer(Quantizer):
    """Fake-quantize over a range that is observed, or set by :meth:`set_range`.

    During training the range follows the values until ``frozen``, if the observer follows training
    (``latest``, ``ema``). Ranges of other observers remain as calibrated.

    Args:
        spec: How the tensor is to be quantized.
        layout: Which elements of the tensor share a scale.

    Example:
        >>> quantizer = MinMaxQuantizer(TensorSpec(bits=4, signed=True), Layout()).eval()
        >>> quantizer.set_range(-7.0, 7.0)
        >>> quantizer(torch.tensor([0.4, 2.6, 99.0])).tolist()
        [0.0, 3.0, 7.0]
    """

    scale: Tensor
    zero_point: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.register_buffer("scale", torch.ones(layout.shape))
        self.register_buffer("zero_point", torch.zeros(layout.shape))

    def observer_method(self) -> Method:
        """By default the current extremes of a weight, and moving averages for an activation."""
        if self.spec.observer.name != "default":
            return self.spec.observer
        return Method("latest" if self.layout.of_weights else "ema")

    def forward(self, x: Tensor) -> Tensor:
        """As the base; in training the range first follows ``x``.

        Tensors that share the range are rounded over the range of the previous step, since it has
        to be the same for all; after the last of them the range follows their union.
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

    @property
    def only_rounds(self) -> bool:
        """True unless the range follows the values in training."""
        return self.is_rounding and not (self.training and self._follows())

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace scale and zero point, in place.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Of ``layout.shape``.
        """
        self.scale.copy_(scale)
        self.zero_point.copy_(zero_point)
        self._set_ready()

    @torch.no_grad()
    def settle(self) -> None:
        """Give the zero point, and a scale that must be a power of two, values they can have.

        An average of several grids has neither. A scale goes to the next larger power.
        """
        self.zero_point.round_()
        if self.spec.scale == "power_of_two":
            self.scale.copy_(round_up_to_power_of_two(self.scale))

    def qparams(self) -> QParams:
        """Current scale and zero point, with grid and layout."""
        return QParams(self.scale, self.zero_point, self.grid, self.layout)

    def _follows(self) -> bool:
        return not self.frozen and self.observer.follows_training
