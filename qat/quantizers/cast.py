"""Half precision as a number format: values are rounded to IEEE binary16 and kept in float."""

from typing import Any

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.quantizers.base import PHASES

_LARGEST = torch.finfo(torch.float16).max


class CastQuantizer(nn.Module):
    """Round to fp16 and back, with the gradient passed through where the value fits.

    Values beyond 65,504 saturate. It has no scale, so it needs no calibration and takes part in
    the phases only as ``off`` or not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.phase = "quantize"

    def forward(self, x: Tensor) -> Tensor:
        """``x`` rounded to half precision; in phase ``quantize`` only."""
        if self.phase != "quantize":
            return x
        return _RoundToHalf.apply(x)  # type: ignore[no-any-return]

    def set_phase(self, phase: str) -> None:
        """Switch the phase.

        Raises:
            ValueError: If the phase is none of ``observe``, ``quantize``, ``off``.
        """
        one_of("phase", phase, PHASES)
        self.phase = phase


class _RoundToHalf(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(x.abs() <= _LARGEST)
        return x.clamp(-_LARGEST, _LARGEST).half().to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        (fits,) = ctx.saved_tensors
        return torch.where(fits, grad, 0.0)
