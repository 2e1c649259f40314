"""How wide the sums of each layer are: in the worst case, and as seen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qat.export.program import Format, Program, Step
from qat.export.reference.layers import accumulate
from qat.export.reference.run import stepwise

ACCUMULATOR_BITS = (16, 24, 32)


@dataclass(frozen=True)
class Accumulator:
    """How wide the sums of a layer are.

    Attributes:
        name: Of the layer.
        worst_bits: Bits of a signed accumulator that holds any input there may be.
        seen_bits: That held what was computed.
    """

    name: str
    worst_bits: int
    seen_bits: int

    @property
    def overflows(self) -> tuple[int, ...]:
        """Of 16, 24 and 32 bits, the widths that the worst case exceeds."""
        return tuple(bits for bits in ACCUMULATOR_BITS if self.worst_bits > bits)


def accumulators(program: Program, images: NDArray[np.float32]) -> list[Accumulator]:
    """The width of each layer's sums: of the worst input there may be, and of these images."""
    rows = []
    for step, given, _ in stepwise(program, images):
        if step.weight is None:
            continue
        form = program.formats[step.inputs[0]]
        seen = np.abs(accumulate(step, given[0], form)).max()
        rows.append(Accumulator(step.name, _bits(_worst(step, form)), _bits(seen)))
    return rows


def _worst(step: Step, form: Format) -> int:
    """Largest size of a sum over all inputs of the format: per channel, both signs apart."""
    assert step.weight is not None
    weight = step.weight
    ones = [1] * (weight.codes.ndim - 1)
    kernel = weight.codes.astype(np.int64) - weight.zero_point.reshape(-1, *ones)
    rows = kernel.reshape(len(kernel), -1)
    low, high = form.qmin - form.zero_point, form.qmax - form.zero_point
    above = np.maximum(rows * low, rows * high).sum(axis=1)
    below = np.minimum(rows * low, rows * high).sum(axis=1)
    bias = 0 if step.bias is None else step.bias.astype(np.int64)
    return int(max(np.abs(above + bias).max(), np.abs(below + bias).max()))


def _bits(size: Any) -> int:
    """Width of a signed integer that holds ``-size .. size``."""
    return int(size).bit_length() + 1
