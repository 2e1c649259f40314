"""Negative values that unsigned codes cannot hold: found by looking on while a network runs.

A sign is decided by the images that a network is planned with; others may show it negative. Such
values become zero, all of them, so that it is worth a word.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn

from qat.layers.walk import quantizers
from qat.quantizers.base import Quantizer
from qat.quantizers.dynamic import is_dynamic


class ClippedSignsWarning(UserWarning):
    """Unsigned codes have met negative values."""


@dataclass
class ClippedSigns:
    """What an unsigned grid has met.

    Attributes:
        name: Of the layer, or of the tensor between layers.
        slot: ``act``, ``output`` or ``tensor``.
        values: How many it was given.
        negative: How many of them are negative, by more than rounds to zero.
        lowest: The smallest.
    """

    name: str
    slot: str
    values: int = 0
    negative: int = 0
    lowest: float = 0.0

    @property
    def share(self) -> float:
        """Of all values."""
        return self.negative / self.values if self.values else 0.0

    def __str__(self) -> str:
        return (
            f"{self.name} ({self.slot}): {self.share:.2%} of its values are negative, down to "
            f"{self.lowest:.3g}, and its unsigned codes clip them to 0; set signed=true, or make "
            "the plan with images that show them"
        )


@contextmanager
def watching_signs(net: nn.Module) -> Iterator[list[ClippedSigns]]:
    """Look on while a quantized network runs; the list is filled at the end.

    Only symmetric grids of activations without negative codes are looked at.
    """
    found: list[ClippedSigns] = []
    seen = {q: ClippedSigns(name, slot) for name, slot, q in quantizers(net) if _unsigned(slot, q)}
    handles = [
        quantizer.register_forward_pre_hook(lambda q, given: _look(seen[q], q, given))
        for quantizer in seen
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
        found += [clip for q, clip in seen.items() if clip.lowest < -_half_step(q)]


def _unsigned(slot: str, quantizer: Quantizer) -> bool:
    grid = quantizer.grid
    fixed = not is_dynamic(quantizer)  # a range that follows each input clips no sign
    return fixed and slot != "weight" and quantizer.spec.symmetric and not grid.signed


def _look(clip: ClippedSigns, quantizer: Quantizer, given: tuple[Any, ...]) -> None:
    x = given[0].detach()
    clip.values += x.numel()
    if not x.numel() or (low := float(x.min())) >= 0:
        return
    clip.lowest = min(clip.lowest, low)
    clip.negative += int((x < -_half_step(quantizer)).sum())


def _half_step(quantizer: Quantizer) -> float:
    """Up to here a value rounds to zero anyway; nothing is known before a calibration."""
    if not quantizer.is_rounding or quantizer.codebook() is not None:
        return 0.0
    return float(quantizer.qparams().scale.max()) / 2
