"""An integer network as plain data, which the exporters write and the reference computes.

It consists of numpy arrays and numbers, without torch. Each stored tensor has codes of a format.
Codes of activations are unsigned 8-bit integers at every bit width, as x86 runtimes require:
signed codes are shifted by 128, and fewer bits use a part of 0..255.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

OFFSET = 128
"""Number that is added to signed codes and to their zero points."""
UINT8_MAX = 255

Floats = NDArray[np.float32]
Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Format:
    """Format of a stored tensor: ``r = scale * (q - zero_point)``, ``qmin <= q <= qmax``.

    Attributes:
        scale: Size of a step.
        zero_point: Code of the value 0.
        qmin: Smallest code, 0 or more.
        qmax: Largest code, 255 or less.

    Example:
        >>> form = Format(np.float32(0.5), zero_point=128, qmin=120, qmax=135)
        >>> form.encode(np.array([-1.0, 0.25, 9.0]))
        array([126, 128, 135], dtype=int32)
        >>> form.decode(np.array([126, 128, 135]))
        array([-1. ,  0. ,  3.5], dtype=float32)
    """

    scale: np.float32
    zero_point: int
    qmin: int
    qmax: int

    def encode(self, values: NDArray[Any]) -> Codes:
        """Codes of values: ``clamp(round_half_even(r / scale) + zero_point, qmin, qmax)``."""
        codes = np.asarray(values / self.scale)  # in place from here on: the array can be large
        np.round(codes, out=codes)
        codes += self.zero_point
        return np.clip(codes, self.qmin, self.qmax, out=codes).astype(np.int32)

    def decode(self, codes: NDArray[Any]) -> Floats:
        """Values of codes: ``scale * (q - zero_point)``."""
        values = np.asarray(codes - self.zero_point).astype(np.float32)
        values *= self.scale
        return values


@dataclass(frozen=True, eq=False)
class Weight:
    """A weight as integers.

    Attributes:
        codes: ``(out, in / groups, *kernel)``, not shifted.
        scale: One value, or one for each output channel.
        zero_point: One value, or one for each output channel.
        bits: Width of a code.
        signed: True if codes can be negative.
    """

    codes: Codes
    scale: Floats
    zero_point: Codes
    bits: int
    signed: bool

    def values(self) -> Floats:
        """The weight in float: ``scale * (codes - zero_point)``."""
        ones = [1] * (self.codes.ndim - 1)
        centred = self.codes - self.zero_point.reshape(-1, *ones)
        return centred.astype(np.float32) * self.scale.reshape(-1, *ones)


@dataclass(frozen=True, eq=False)
class Step:
    """One operation, from stored tensors to a stored tensor.

    Attributes:
        name: Name of the layer or operation; unique.
        kind: ``quantize``, or a kind of :mod:`qat.graph.operations`; ``global_avg_pool`` for
            every average over a whole plane.
        inputs: Names of tensors; for the step that quantizes the image, its own output.
        output: Name of the tensor that the step computes.
        attributes: Attributes of the operation (stride, padding, axis, shape, ...).
        weight: Weight of a layer; None for other operations.
        bias: Codes of scale ``s_x * s_w`` with zero point 0; None without a bias.
        low: Smallest code of the output; a ReLU is such a bound.
        high: Largest code of the output.
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
        name: Name of the network's class.
        input_shape: ``(channels, height, width)`` of an image.
        output_shape: Shape of the output for one image; ``(classes,)`` for a classifier.
        output: Name of the tensor with the logits.
        steps: In the order of execution; the first one quantizes the image, ``input``.
        formats: Name of a tensor → format.
        plan: As :meth:`qat.core.plan.Plan.to_dict` returns it.
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
