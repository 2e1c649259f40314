"""A quantizer with fixed thresholds, such as that of an activation in a packed file."""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.qparams import QParams
from qat.core.scheme import TensorSpec
from qat.quantizers.thresholds import ThresholdQuantizer


class FixedThresholds(ThresholdQuantizer):
    """Codes by fixed thresholds, with fixed levels; no gradient passes.

    Args:
        qparams: Scale and layout; the zero point is 0.
        spec: How the tensor was to be quantized.
        ends: Smallest value of each code but the lowest, ``(slices, codes - 1)``.

    Raises:
        InputError: If the thresholds do not ascend, are not finite, or do not fit layout and grid.

    Example:
        >>> from qat.core.layout import Layout
        >>> spec = TensorSpec(bits=2, signed=False)
        >>> qparams = QParams(torch.ones(1), torch.zeros(1), spec.grid(), Layout())
        >>> quantizer = FixedThresholds(qparams, spec, torch.tensor([[1.0, 4.0, 7.0]]))
        >>> quantizer(torch.tensor([0.9, 5.0, 9.0])).tolist()
        [0.0, 2.0, 3.0]
    """

    scale: Tensor
    ends: Tensor

    def __init__(self, qparams: QParams, spec: TensorSpec, ends: Tensor) -> None:
        super().__init__(spec, qparams.layout)
        shape = (self.layout.slices, self.grid.qmax * (2 if self.grid.signed else 1))
        if tuple(ends.shape) != shape:
            raise InputError(f"thresholds must have shape {shape}, got {tuple(ends.shape)}")
        if not bool(torch.isfinite(ends).all()) or bool((ends.diff(dim=1) < 0).any()):
            raise InputError("thresholds must be finite and ascend in each slice")
        self.register_buffer("scale", qparams.scale.detach().clone())
        self.register_buffer("ends", ends)
        self.frozen = True
        self._set_ready()

    def observe(self, x: Tensor) -> None:
        """Do nothing: the thresholds are fixed."""

    def thresholds(self) -> Tensor:
        """The thresholds, as given."""
        return self.ends

    def soft_codes(self, magnitudes: Tensor) -> Tensor:
        """No gradient: the codes of now are not those of a training."""
        return torch.zeros_like(magnitudes)

    def step(self) -> Tensor:
        """The scale."""
        return self.scale

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace the scale, in place; the thresholds stay.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Not used.
        """
        self.scale.copy_(scale)
