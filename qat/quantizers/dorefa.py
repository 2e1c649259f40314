"""DoReFa: weights through a hyperbolic tangent, activations in a fixed range.

Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth
Gradients", 2016, arXiv:1606.06160 (version 3).

    quantize_k(r) = round((2^k - 1) r) / (2^k - 1),   d quantize_k / d r = 1   section 2.2
    weights      w_q = 2 quantize_k(tanh(w) / (2 max|tanh(w)|) + 1/2) - 1      section 2.3
    activations  x_q = quantize_k(clip(x, 0, 1))                               section 2.4

Zero is not among the levels of a weight, and rounding rounded weights changes them, since they are
rescaled by their own largest value. The gradient of a weight is the chain through ``w_q``; the
maximum has a gradient too with ``output=unit``, and none with ``output=float``.

Differs from the paper: with ``output=float``, the default, the levels of a weight are multiplied
by ``max|tanh(w)|``, so that a float network that was trained before keeps the size of its outputs;
``output=unit`` is as in the paper. Unsigned activations are clipped at 1 with ``clip=paper``;
otherwise, and for signed ones such as the images, which the paper leaves float, at the end of an
observed range. Gradients are not quantized. One maximum per channel or group is possible. Outside
of training the maximum is that of the last training step.

Cites: zhou2016dorefa.
"""

from typing import Any, Self

import torch
from torch import Tensor

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer
from qat.quantizers.declared import unsupported
from qat.quantizers.midrise import MidRiseQuantizer
from qat.quantizers.minmax import MinMaxQuantizer

CLIPS = ("paper", "mse", "observer")
OUTPUTS = ("float", "unit")


class DoReFaQuantizer(Quantizer):
    """Round a weight after a hyperbolic tangent, or an activation in a fixed range.

    The layout says which of both: an object is a :class:`DoReFaWeight` or a
    :class:`DoReFaActivation`.

    Args:
        spec: How the tensor is to be quantized; symmetric, with a free scale.
        layout: Which elements of the tensor share a range, and whether it is a weight.
        clip: End of the range of an activation. ``mse``: that of least square error. ``paper``: 1.
            ``observer``: that of the observer of the spec.
        output: Levels of a weight: of the size of the ``float`` weights, or ``unit``, -1 to 1.

    Raises:
        InputError: If DoReFa cannot have the spec, an option is unknown, or the spec names an
            observer that is ignored.

    Example:
        >>> layout = Layout.of_weight("tensor", (1, 3))
        >>> quantizer = DoReFaQuantizer(TensorSpec(bits=2, signed=True), layout, output="unit")
        >>> quantizer.set_range(-1.0, 1.0)
        >>> quantizer(torch.tensor([[-0.1, 0.5, 4.0]]))
        tensor([[-0.3333,  0.3333,  1.0000]])
    """

    def __new__(
        cls, spec: Any = None, layout: Any = None, clip: str = "mse", output: str = "float"
    ) -> Self:
        """An object of the class for weights or for activations."""
        kind: Any = cls
        if cls is DoReFaQuantizer:
            kind = DoReFaWeight if layout.of_weights else DoReFaActivation
        return super().__new__(kind)

    def __init__(
        self, spec: TensorSpec, layout: Layout, clip: str = "mse", output: str = "float"
    ) -> None:
        reason = unsupported("dorefa", spec)
        if reason is not None:
            raise InputError(f"dorefa cannot have {reason}")
        one_of("clip of dorefa", clip, CLIPS)
        one_of("output of dorefa", output, OUTPUTS)
        if spec.observer.name != "default" and (layout.of_weights or clip != "observer"):
            raise InputError(
                f"dorefa would ignore the observer {spec.observer.name!r}: leave it at default, "
                "or set clip=observer for activations"
            )
        self.clip, self.output = clip, output
        super().__init__(spec, layout)


class DoReFaWeight(DoReFaQuantizer, MidRiseQuantizer):
    """Section 2.3, for a weight.

    The buffer ``outer`` has ``max|tanh(w)|``.
    """

    def outer_level(self, rows: Tensor) -> Tensor:
        """``max|tanh(w)|`` of each slice."""
        return torch.tanh(rows).abs().amax(dim=1, keepdim=True)

    def before_rounding(self, rows: Tensor) -> Tensor:
        """``tanh(w)``."""
        return torch.tanh(rows)

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """As the base: the ends are those of the weight, before the hyperbolic tangent.

        Args:
            rmin: Smallest weight, a number or one for each slice.
            rmax: Largest weight, likewise.
        """
        super().set_range(rmin, rmax)
        self.outer.tanh_()

    def unit_levels_of(self, codes: Tensor) -> Tensor:
        """Values of codes: of -1 to 1, or in units of the size of the float weights."""
        units = super().unit_levels_of(codes)
        return units if self.output == "float" else units / self._last_code()

    def level_scale(self) -> Tensor:
        """As the base; 1 if the levels are -1 to 1."""
        return super().level_scale() if self.output == "float" else torch.ones_like(self.outer)

    def quantize(self, x: Tensor) -> Tensor:
        """Round ``tanh(x)``, with the gradient of the chain."""
        rows = self.layout.sliced(x)
        bent = torch.tanh(rows)
        with torch.no_grad():
            self.follow(rows)
            value = self.levels_of(self.codes(bent))
        source = bent if self.output == "float" else bent / self._maximum(bent)
        return self.layout.unsliced(grad_of(value, source), x)

    def _maximum(self, bent: Tensor) -> Tensor:
        """``max|tanh(w)|``, 1 for zeros: with a gradient in training, else as it was."""
        if self.training and not self.frozen:
            largest = bent.abs().amax(dim=1, keepdim=True)
            return torch.where(largest > torch.finfo(bent.dtype).tiny, largest, 1.0)
        return self.outer.reshape(-1, 1)


class DoReFaActivation(DoReFaQuantizer, MinMaxQuantizer):
    """Section 2.4, for an activation: a grid of fixed range, straight-through inside."""

    def observer_method(self) -> Method:
        """The observer from whose range the end is taken."""
        return super().observer_method() if self.clip == "observer" else Method("mse")

    def adopt_range(self) -> None:
        """Clip at 1 (``clip=paper``, without sign), or at the end of the observed range."""
        if self.clip == "paper" and not self.grid.signed:
            self.set_range(0.0, 1.0)
        else:
            super().adopt_range()
