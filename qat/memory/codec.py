"""Tensors as codes in the bytes that their width takes, by a network's own quantizers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from qat.core.packing import pack, unpack
from qat.memory.liveness import MemoryGraph
from qat.memory.liveness import Tensor as Place

_LARGEST = torch.finfo(torch.float16).max


class Coder(Protocol):
    """What turns values into integer codes (int32, of the same shape) and back."""

    def encode(self, x: Tensor) -> Tensor:
        """Codes of values."""

    def decode(self, codes: Tensor) -> Tensor:
        """Values of codes."""


@dataclass(frozen=True)
class Coding:
    """How the elements of one storage lie.

    Attributes:
        coder: Turns values into codes.
        bits: Width of a code.
        lowest: The smallest code, which is stored as 0.
    """

    coder: Coder
    bits: int
    lowest: int


class Halves:
    """Float16 as codes of 16 bits; what is beyond 65,504 saturates."""

    def encode(self, x: Tensor) -> Tensor:
        """The bits of each value."""
        return x.clamp(-_LARGEST, _LARGEST).half().view(torch.int16).to(torch.int32)

    def decode(self, codes: Tensor) -> Tensor:
        """The values, as float32."""
        return codes.to(torch.int16).view(torch.float16).float()


class PackedCodes:
    """The codec of a network whose tensors have quantizers, bit after bit without gaps.

    Args:
        graph: With the shape and strides of every tensor.
        codings: Name of a storage → how it lies.
    """

    def __init__(self, graph: MemoryGraph, codings: Mapping[str, Coding]) -> None:
        self.graph, self.codings = graph, codings

    def encode(self, name: str, value: Tensor) -> Tensor:
        """Bytes of a storage's value, in the order that its elements have there."""
        coding, place = self.codings[name], self.graph.tensors[name]
        codes = torch.zeros(place.elements, dtype=torch.int32)
        _shaped(codes, place).copy_(coding.coder.encode(value))
        return torch.from_numpy(pack(codes.numpy(), coding.bits, coding.lowest))

    def decode(self, name: str, codes: Tensor, elements: int) -> Tensor:
        """The values again, in the same order."""
        coding, place = self.codings[name], self.graph.tensors[name]
        flat = torch.from_numpy(unpack(codes.numpy(), elements, coding.bits, coding.lowest))
        found = coding.coder.decode(_shaped(flat, place))
        values = torch.zeros(elements, dtype=found.dtype)
        _shaped(values, place).copy_(found)
        return values


def _shaped(flat: Tensor, place: Place) -> Tensor:
    return flat.as_strided(place.shape, place.stride, place.start)
