"""An integer network as plain data: what the exporters write and the reference computes.

No torch in it: numpy arrays and numbers. A tensor that is stored has codes of a format; as x86
runtimes want them, codes of activations are unsigned 8-bit integers, whatever the width: a signed
grid of ``b`` bits is shifted by 128, a narrower one uses a part of 0..255.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

OFFSET = 128
"""Added to signed codes and their zero points."""
UINT8_MAX = 255

Floats = NDArray[np.float32]
Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Format:
    """``r = scale * (q - zero_point)`` of a stored tensor, ``qmin <= q <= qmax``, in 0..255."""

    scale: np.float32
    zero_point: int
    qmin: int
    qmax: int

    def encode(self, values: NDArray[Any]) -> Codes:
        """``clamp(round_half_even(r / scale) + zero_point)``."""
        codes = np.round(values / self.scale) + self.zero_point
        return np.clip(codes, self.qmin, self.qmax).astype(np.int32)

    def decode(self, codes: NDArray[Any]) -> Floats:
        """Values of codes."""
        return (codes - self.zero_point).astype(np.float32) * self.scale


@dataclass(frozen=True, eq=False)
class Weight:
    """A weight as integers.

    Attributes:
        codes: ``(out, in / groups, *kernel)``, in the grid's own range.
        scale: One, or one an output channel.
        zero_point: Likewise.
        bits: Width of a code.
        signed: Codes below zero.
    """

    codes: Codes
    scale: Floats
    zero_point: Codes
    bits: int
    signed: bool

    def values(self) -> Floats:
        """What the codes stand for."""
        ones = [1] * (self.codes.ndim - 1)
        centred = self.codes - self.zero_point.reshape(-1, *ones)
        return centred.astype(np.float32) * self.scale.reshape(-1, *ones)


@dataclass(frozen=True, eq=False)
class Step:
    """One operation, from stored tensors to a stored tensor.

    Attributes:
        name: Of the layer or operation; unique.
        kind: ``quantize`` (the image), or a word of :mod:`qat.graph.operations`;
            ``global_avg_pool`` for every average over a whole plane.
        inputs: Names of tensors; of the step that quantizes the image, its own output.
        output: Name of the tensor it makes.
        attributes: Of the operation (stride, padding, axis, shape, ...).
        weight: Of a layer.
        bias: Codes of scale ``s_x * s_w``, zero point 0; None without.
        low: Smallest code that it gives: a ReLU is a bound on codes.
        high: Largest.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weight: Weight | None = None
    bias: Codes | None = None
    low: int = 0
    high: int = UINT8_MAX


@dataclass(frozen=True, eq=False)
class Program:
    """A whole network.

    Attributes:
        name: Of the network's class.
        input_shape: ``(channels, height, width)`` of an image.
        output_shape: Of what an image gives, ``(classes,)`` of a classifier.
        output: Name of the logits' tensor.
        steps: In execution order; the first quantizes the image, ``input``.
        formats: Tensor name → format.
        plan: As :meth:`qat.core.plan.Plan.to_dict` gives it.
    """

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    output: str
    steps: tuple[Step, ...]
    formats: Mapping[str, Format]
    plan: Mapping[str, Any]

    def layers(self) -> Iterator[Step]:
        """The steps that have a weight."""
        return (step for step in self.steps if step.weight is not None)
