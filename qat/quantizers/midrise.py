"""Weights on levels that lie evenly around zero, of which none is zero (mid-rise).

With ``n = 2^bits - 1`` and the outermost level ``a``, the levels are ``a (2 i - n) / n`` for the
codes ``i = 0 .. n``, and a value v gets the code ``round(n clip(v / (2 a) + 1/2, 0, 1))``. Codes
of an affine grid have an integer for zero, and these do not: a method of this kind has a codebook.
"""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.checks import require
from qat.core.codebook import Codebook
from qat.core.layout import Layout
from qat.core.qparams import QParams
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer


class MidRiseQuantizer(Quantizer):
    """Base of methods that compute the outermost level of each slice from the weight itself.

    In training the level follows the weight until ``frozen``; otherwise it stays as it was. A
    subclass defines :meth:`outer_level` and :meth:`quantize`.

    Args:
        spec: How the tensor is to be quantized.
        layout: Which elements of the tensor share an outermost level.
    """

    outer: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__(spec, layout)
        self.register_buffer("outer", torch.ones(layout.shape))
        self._observed: Tensor | None = None

    def outer_level(self, rows: Tensor) -> Tensor:
        """The outermost level ``(slices, 1)`` of a weight ``(slices, n)``.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def before_rounding(self, rows: Tensor) -> Tensor:
        """The values that are rounded; here those of the weight."""
        return rows

    def observer_method(self) -> Method:
        """An observer of the current weight, which refuses NaN and infinity."""
        return Method("latest")

    def observe(self, x: Tensor) -> None:
        """Compute the outermost levels of ``x``.

        Raises:
            InputError: If the values contain NaN or infinity; the message names the tensor.
        """
        super().observe(x)
        self._observed = self.outer_level(self.layout.sliced(x.detach()))

    def adopt_range(self) -> None:
        """Take the outermost levels of the weight that was observed last."""
        if self._observed is not None:
            self.set_outer(self._observed)

    @torch.no_grad()
    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Place the outermost levels at the larger magnitude of both ends.

        Args:
            rmin: Smallest value, a number or one for each slice.
            rmax: Largest value, likewise.

        Raises:
            InputError: If a bound is NaN or infinite, or ``rmin > rmax``.
        """
        low, high = (torch.as_tensor(r).to(self.outer) for r in (rmin, rmax))
        finite = torch.isfinite(low) & torch.isfinite(high)
        require(finite, "a range must be finite: the values contain NaN or infinity")
        require(low <= high, "a range needs rmin <= rmax")
        self.set_outer(torch.maximum(low.abs(), high.abs()).expand(self.outer.numel()))

    @torch.no_grad()
    def set_outer(self, outer: Tensor) -> None:
        """Replace the outermost levels, in place; those of a slice of zeros come close to zero."""
        outer = outer.reshape(self.outer.shape).to(self.outer)
        normal_step = torch.finfo(outer.dtype).tiny
        self.outer.copy_(outer.clamp(min=normal_step * self._last_code()))
        self._set_ready()

    def follow(self, rows: Tensor) -> None:
        """In training, take the outermost levels of this weight."""
        if self.training and not self.frozen:
            self.set_outer(self.outer_level(rows.detach()))

    def codes(self, values: Tensor) -> Tensor:
        """Codes ``0 .. n``, as floats, of values ``(slices, n)``."""
        position = values / (2 * self.outer.reshape(-1, 1)) + 0.5
        return torch.round(position.clamp(0.0, 1.0) * self._last_code())

    def levels_of(self, codes: Tensor) -> Tensor:
        """Values of codes ``(slices, n)``."""
        return self.unit_levels_of(codes) * self.level_scale().reshape(-1, 1)

    def unit_levels_of(self, codes: Tensor) -> Tensor:
        """Values of codes, in units of :meth:`level_scale`."""
        return 2 * codes - self._last_code()

    def level_scale(self) -> Tensor:
        """Half the distance of two levels, of ``layout.shape``."""
        return self.outer / self._last_code()

    def encode(self, x: Tensor) -> Tensor:
        """Indices into the codebook, int32.

        Raises:
            InputError: If ``x`` contains NaN, which has no code.
        """
        require(~torch.isnan(x).any(), "NaN has no code: find where the values became NaN")
        codes = self.codes(self.before_rounding(self.layout.sliced(x)))
        return self.layout.unsliced(codes.to(torch.int32), x)

    def codebook(self) -> Codebook:
        """The levels of each slice."""
        codes = torch.arange(self._last_code() + 1, device=self.outer.device, dtype=torch.float32)
        return Codebook.scaled(self.unit_levels_of(codes), self.level_scale(), self.layout)

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Not possible: zero has no code.

        Args:
            scale: Not used.
            zero_point: Not used.

        Raises:
            InputError: Always.
        """
        raise InputError("levels without zero have no scale and zero point to set: use set_range")

    def qparams(self) -> QParams:
        """Not available: zero has no code, see :meth:`codebook`.

        Raises:
            InputError: Always.
        """
        raise InputError("levels without zero have no integer zero point: use codebook()")

    def _last_code(self) -> int:
        return int(2**self.spec.bits - 1)
