"""Half precision (fp16) as a number format: values are rounded to IEEE binary16, in float."""

from typing import Any

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.quantizers.base import PHASES

_LARGEST = torch.finfo(torch.float16).max


class CastQuantizer(nn.Module):
    """Round to fp16, with gradient 1 inside its range and 0 outside it.

    Magnitudes above 65,504 saturate. There is no scale and no calibration; values are rounded in
    phase ``quantize``, and pass unchanged in ``observe`` and ``off``.

    Example:
        >>> CastQuantizer()(torch.tensor([0.1, 1e6]))
        tensor([9.9976e-02, 6.5504e+04])
    """

    def __init__(self) -> None:
        super().__init__()
        self.phase = "quantize"

    def forward(self, x: Tensor) -> Tensor:
        """Round ``x`` to half precision, in phase ``quantize`` only."""
        if self.phase != "quantize":
            return x
        return _RoundToHalf.apply(x)  # type: ignore[no-any-return]

    def set_phase(self, phase: str) -> None:
        """Switch the phase.

        Raises:
            InputError: If the phase is not ``observe``, ``quantize`` or ``off``.
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
