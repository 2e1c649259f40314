"""Width of the accumulator that each layer needs: in the worst case, and for given images."""

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
    """Width of the accumulator that a layer needs.

    Attributes:
        name: Name of the layer.
        worst_bits: Bits of a signed accumulator that is wide enough for every possible input.
        seen_bits: Bits that were enough for the given images.

    Example:
        >>> Accumulator("fc", worst_bits=25, seen_bits=20).overflows
        (16, 24)
    """

    name: str
    worst_bits: int
    seen_bits: int

    @property
    def overflows(self) -> tuple[int, ...]:
        """Those of 16, 24 and 32 bits that are too few in the worst case."""
        return tuple(bits for bits in ACCUMULATOR_BITS if self.worst_bits > bits)


def accumulators(program: Program, images: NDArray[np.float32]) -> list[Accumulator]:
    """The accumulator of each layer, in the order of execution.

    Args:
        program: Integer network.
        images: Preprocessed images, ``(N, channels, height, width)``.
    """
    largest: dict[str, int] = {}
    for image in images[:, None]:  # one at a time, because all windows of a layer are in memory
        for step, inputs, _ in stepwise(program, image):
            if step.weight is not None:
                sums = accumulate(step, inputs[0], program.formats[step.inputs[0]])
                size = max(int(sums.max()), -int(sums.min()))
                largest[step.name] = max(largest.get(step.name, 0), size)
    return [
        Accumulator(
            step.name,
            _bits(_worst(step, program.formats[step.inputs[0]])),
            _bits(largest[step.name]),
        )
        for step in program.layers()
    ]


def _worst(step: Step, form: Format) -> int:
    """Largest absolute value of a sum, over all channels and all inputs of the format."""
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
    """Width of a signed integer that can hold ``-size .. size``."""
    return int(size).bit_length() + 1
