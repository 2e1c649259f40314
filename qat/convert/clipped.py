"""Negative values that unsigned codes clip to zero, counted while a network runs.

The images of the plan decide whether a tensor gets signed codes. Other images may have negative
values in that tensor. Unsigned codes clip all of them to zero, which the user should know.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qat.core.checks import is_immediate
from qat.layers.walk import quantizers
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic


class ClippedSignsWarning(UserWarning):
    """Unsigned codes clip negative values to zero."""


@dataclass
class ClippedSigns:
    """Counts of the values that reached an unsigned grid.

    Attributes:
        name: Name of the layer, or of the tensor between layers.
        slot: ``act``, ``output`` or ``tensor``.
        values: Number of values.
        negative: Number of negative values that do not round to zero.
        lowest: Smallest value; 0 if none is negative.

    Example:
        >>> print(ClippedSigns("conv1", "act", values=200, negative=1, lowest=-0.5))
        conv1 (act): 0.50% of its values are negative, down to -0.5, and its unsigned codes clip \
them to 0; set signed=true, or make the plan with images that show them
    """

    name: str
    slot: str
    values: int = 0
    negative: int = 0
    lowest: float = 0.0

    @property
    def share(self) -> float:
        """Share of the negative values, 0 to 1."""
        return self.negative / self.values if self.values else 0.0

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.slot}): {self.share:.2%} of its values are negative, down to "
            f"{self.lowest:.3g}, and its unsigned codes clip them to 0; set signed=true, or make "
            "the plan with images that show them"
        )


@contextmanager
def watching_signs(net: nn.Module) -> Iterator[list[ClippedSigns]]:
    """Count clipped negative values while a quantized network runs.

    Only symmetric grids of activations without negative codes are observed. Each of their hooks
    is removed at the end.

    Yields:
        A list, which is filled at the end with each grid that clipped values.
    """
    clipped: list[ClippedSigns] = []
    grids = [each for each in quantizers(net) if _unsigned(each[1], each[2])]
    observed = {quantizer: _Counts(name, slot) for name, slot, quantizer in grids}
    handles = [
        quantizer.register_forward_pre_hook(lambda q, inputs: observed[q].add(q, inputs))
        for quantizer in observed
    ]
    try:
        yield clipped
    finally:
        for handle in handles:
            handle.remove()
        results = {quantizer: counts.read() for quantizer, counts in observed.items()}
        clipped += [clip for q, clip in results.items() if clip.lowest < -float(_half_step(q))]


def _unsigned(slot: str, quantizer: Quantizer) -> bool:
    grid = quantizer.grid
    fixed = not is_dynamic(quantizer)  # a range from each input contains its negative values
    fixed = fixed and grid.bits > 1  # the two levels of a sign have no zero to clip to
    return fixed and slot != "weight" and quantizer.spec.symmetric and not grid.signed


class _Counts:
    """The counts of one grid so far, which on a GPU are tensors there until they are read."""

    def __init__(self, name: str, slot: str) -> None:
        self._name, self._slot, self._values = name, slot, 0
        self._negative: Tensor | int = 0
        self._lowest: Tensor | float = 0.0

    def add(self, quantizer: Quantizer, inputs: tuple[Any, ...]) -> None:
        """Count the negative values of one input."""
        x: Tensor = inputs[0].detach()
        self._values += x.numel()
        if not x.numel():
            return
        lowest = x.amin()  # x.min() takes twenty times as long in channels_last
        if is_immediate(x.device) and float(lowest) >= 0:
            return  # on a GPU, to count takes less time than to wait for the smallest value
        self._lowest = lowest.clamp(max=self._lowest)
        self._negative = self._negative + (x < -_half_step(quantizer)).sum()

    def read(self) -> ClippedSigns:
        """The counts as numbers."""
        counts = self._values, int(self._negative), float(self._lowest)
        return ClippedSigns(self._name, self._slot, *counts)


def _half_step(quantizer: Quantizer) -> Tensor:
    """Return the distance from zero within which a value rounds to zero; 0 if it is not known."""
    if not quantizer.is_rounding or quantizer.codebook() is not None:
        return torch.zeros((), device=quantizer.calibrated.device)
    return quantizer.qparams().scale.detach().max() / 2
