"""Common part of the methods whose levels are a table that training changes."""

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.core.codebook import Codebook, nearest
from qat.core.qparams import QParams
from qat.quantizers.base import Quantizer


class TableQuantizer(Quantizer):
    """Rounds to the nearest of the levels of a table, one table for each slice.

    A method defines :meth:`levels`, :meth:`set_largest` and :meth:`quantize`.
    """

    def levels(self) -> Tensor:
        """The levels ``(slices, levels)``, ascending, in the unit of the tensor, with gradients.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def set_largest(self, largest: Tensor) -> None:
        """Choose levels whose largest magnitude is ``largest``, of ``layout.shape``, in place.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def codebook(self) -> Codebook:
        """The levels; their indices are the codes."""
        return Codebook(self.levels().detach().float(), self.layout)

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Represent magnitudes up to the larger one of both bounds; for ``0 .. 0``, up to 1.

        Args:
            rmin: Smallest value, a number or one for each slice.
            rmax: Largest value, likewise.

        Raises:
            InputError: If a bound is NaN or infinite.
        """
        like = self.levels().detach()
        ends = (torch.as_tensor(r, dtype=like.dtype, device=like.device) for r in (rmin, rmax))
        largest = torch.maximum(*(end.abs() for end in ends))
        if not bool(torch.isfinite(largest).all()):
            raise InputError("a range must be finite: the values contain NaN or infinity")
        largest = torch.where(largest > 0, largest, 1.0)
        self.set_largest(largest.expand(self.layout.slices).reshape(self.layout.shape))
        self._set_ready()

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Not possible: the levels have no common step, see :meth:`set_range`.

        Args:
            scale: Not used.
            zero_point: Not used.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.label} has levels instead of a step: use set_range()")

    def qparams(self) -> QParams:
        """Not available, see :meth:`codebook`.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.label} has levels instead of a step: use codebook()")

    def _nearest_level(self, x: Tensor, levels: Tensor) -> Tensor:
        """The level of each value as :meth:`decode` of :meth:`encode` gives it; NaN stays NaN."""
        with torch.no_grad():
            rows, table = self.layout.sliced(x.detach()), levels.detach().float()
            level = table.gather(1, nearest(rows, table).long())
            level = torch.where(rows.isnan(), rows, level)
        return self.layout.unsliced(level, x)
