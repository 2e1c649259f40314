"""Common part of the methods whose levels are evenly spaced while their thresholds are not."""

from dataclasses import replace

import torch
from torch import Tensor

from qat.core.checks import require
from qat.core.codebook import number_above
from qat.core.kernels import grad_of
from qat.core.qparams import QParams
from qat.quantizers.base import Quantizer


class ThresholdQuantizer(Quantizer):
    """Codes by thresholds; their values are ``code * scale``.

    A method defines :meth:`magnitude_thresholds`, :meth:`soft_codes`, :meth:`step` and
    :meth:`set_qparams`. A signed grid has the same thresholds for both signs, and does not use its
    code ``-2^(bits-1)``.
    """

    def magnitude_thresholds(self) -> Tensor:
        """Smallest magnitudes of the codes 1 to ``qmax``, ``(slices, qmax)``, all above 0.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def soft_codes(self, magnitudes: Tensor) -> Tensor:
        """What the gradient takes for the codes of magnitudes ``(slices, n)``, not rounded.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def step(self) -> Tensor:
        """Distance of two levels, of ``layout.shape``, with gradients.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def thresholds(self) -> Tensor:
        """Smallest value of each code but the lowest, ``(slices, codes - 1)``, ascending."""
        magnitudes = self.magnitude_thresholds().detach()
        if not self.grid.signed:
            return magnitudes
        return torch.cat([-magnitudes.flip(1), magnitudes], dim=1)

    def encode(self, x: Tensor) -> Tensor:
        """Integer codes of ``x``, int32: the number of thresholds at or below it.

        Raises:
            InputError: If ``x`` contains NaN, which has no code.
        """
        require(~torch.isnan(x).any(), "NaN has no code: find where the values became NaN")
        codes = codes_by_thresholds(self.layout.sliced(x), self.thresholds(), self.grid.qmax)
        return self.layout.unsliced(codes, x)

    def quantize(self, x: Tensor) -> Tensor:
        """The level of each value, with the gradient of :meth:`soft_codes`; NaN stays NaN."""
        rows, step = self.layout.sliced(x), self.step().reshape(-1, 1)
        with torch.no_grad():
            codes = codes_by_thresholds(rows, self.thresholds(), self.grid.qmax).to(step.dtype)
            codes = torch.where(rows.isnan(), rows.to(step.dtype), codes)
        if not torch.is_grad_enabled():
            return self.layout.unsliced(codes * step, x)
        if self.grid.signed:
            soft = self.soft_codes(rows.abs()) * rows.detach().sign()
        else:
            soft = self.soft_codes(rows)
        value = grad_of(codes * step.detach(), grad_of(codes, soft) * step)
        return self.layout.unsliced(value, x)

    def qparams(self) -> QParams:
        """Distance of two levels as scale, zero point 0, and the codes that are used."""
        step = self.step().detach()
        used = replace(self.grid, narrow=self.grid.signed)
        return QParams(step, torch.zeros_like(step), used, self.layout)


def codes_by_thresholds(rows: Tensor, thresholds: Tensor, highest: int) -> Tensor:
    """Codes of rows: ``highest`` at or above the last threshold, one less below it, and so on.

    Args:
        rows: ``(slices, n)``.
        thresholds: ``(slices, codes - 1)``, ascending.
        highest: The highest code.

    Returns:
        int32, ``(slices, n)``.

    Example:
        >>> codes_by_thresholds(torch.tensor([[-9.0, 0.0, 9.0]]), torch.tensor([[-1.0, 2.0]]), 1)
        tensor([[-1,  0,  1]], dtype=torch.int32)
    """
    above = number_above(thresholds.double(), rows.detach(), or_at=True)
    return above + (highest - thresholds.shape[1])


def held_at(least: Tensor | float, parameter: Tensor) -> Tensor:
    """A parameter, raised to ``least``, whose gradient passes, so that training can raise it.

    Args:
        least: Smallest value.
        parameter: What is trained.
    """
    return grad_of(parameter.detach().clamp(min=least), parameter)
