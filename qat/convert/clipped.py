"""Negative values that unsigned codes clip to zero, counted while a network runs.

The images of the plan decide whether a tensor gets signed codes. Other images may have negative
values in that tensor. Unsigned codes clip all of them to zero, which the user should know.
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
    observed = {quantizer: ClippedSigns(name, slot) for name, slot, quantizer in grids}
    handles = [
        quantizer.register_forward_pre_hook(lambda q, inputs: _look(observed[q], q, inputs))
        for quantizer in observed
    ]
    try:
        yield clipped
    finally:
        for handle in handles:
            handle.remove()
        clipped += [clip for q, clip in observed.items() if clip.lowest < -_half_step(q)]


def _unsigned(slot: str, quantizer: Quantizer) -> bool:
    grid = quantizer.grid
    fixed = not is_dynamic(quantizer)  # a range from each input contains its negative values
    return fixed and slot != "weight" and quantizer.spec.symmetric and not grid.signed


def _look(clip: ClippedSigns, quantizer: Quantizer, inputs: tuple[Any, ...]) -> None:
    x = inputs[0].detach()
    clip.values += x.numel()
    if not x.numel() or (low := float(x.min())) >= 0:
        return
    clip.lowest = min(clip.lowest, low)
    clip.negative += int((x < -_half_step(quantizer)).sum())


def _half_step(quantizer: Quantizer) -> float:
    """Return the distance from zero within which a value rounds to zero; 0 if it is not known."""
    if not quantizer.is_rounding or quantizer.codebook() is not None:
        return 0.0
    return float(quantizer.qparams().scale.max()) / 2
