"""Common parts of the quantizers of two or three levels, which lie symmetric about zero."""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.scheme import TensorSpec
from qat.quantizers.base import Quantizer


class LevelsQuantizer(Quantizer):
    """Levels of each slice that a single number, the largest of them, determines.

    Args:
        spec: How the tensor is to be quantized.
        layout: Which elements of the tensor share their levels.

    Attributes:
        scale: The largest level of each slice, of ``layout.shape``.
    """

    scale: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.register_buffer("scale", torch.ones(layout.shape))

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the largest levels, in place.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Not used.
        """
        self.scale.copy_(scale)
        self._set_ready()

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Let the largest level be the larger magnitude of both bounds.

        Args:
            rmin: Smallest value, a number or one for each slice.
            rmax: Largest value, likewise.
        """
        low, high = (self._of_each_slice(bound, self.scale) for bound in (rmin, rmax))
        self.set_qparams(torch.maximum(low.abs(), high.abs()), torch.zeros_like(low))

    def qparams(self) -> QParams:
        """Not available, see :meth:`codebook`.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.label} has levels instead of a step: use codebook()")


class WeightLevelsQuantizer(LevelsQuantizer):
    """Levels that are computed from the weights, in training anew at each step until ``frozen``.

    A method defines :meth:`fit`, :meth:`codebook` and :meth:`quantize`. The observer has no effect
    but to refuse NaN and infinity.
    """

    def fit(self, rows: Tensor) -> None:
        """Set the levels of ``(slices, elements)``.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """As the base; in training the levels first follow ``x``."""
        if self.phase == "quantize" and self.training and not self.frozen:
            self.observe(x)
        return super().forward(x)

    def observe(self, x: Tensor) -> None:
        """Compute the levels from ``x``.

        Raises:
            InputError: If ``x`` contains NaN or infinity; the message names the tensor.
        """
        super().observe(x)
        with torch.no_grad():
            self.fit(self.layout.sliced(x.detach()))
        self._set_ready()

    def adopt_range(self) -> None:
        """Do nothing: :meth:`observe` has computed the levels."""

    @property
    def only_rounds(self) -> bool:
        """True unless the levels follow the values in training."""
        return self.is_rounding and (self.frozen or not self.training)
