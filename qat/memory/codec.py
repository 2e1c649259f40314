"""Tensors stored as bit-packed codes, by a network's own quantizers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from qat.core.packing import pack, unpack
from qat.memory.liveness import MemoryGraph, MemoryTensor

_LARGEST = torch.finfo(torch.float16).max


class Coder(Protocol):
    """Converts values into integer codes (int32, of the same shape) and back."""

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of values."""

    def decode(self, codes: Tensor) -> Tensor:
        """Return the values of codes."""


@dataclass(frozen=True)
class Coding:
    """Format of the elements of one storage.

    Attributes:
        coder: Converts values into codes and back.
        bits: Width of a code.
        lowest: The smallest code, which is stored as 0.
    """

    coder: Coder
    bits: int
    lowest: int


class Halves:
    """Float16 as codes of 16 bits; values beyond 65,504 saturate.

    Example:
        >>> Halves().decode(Halves().encode(torch.tensor([0.1, 1e6])))
        tensor([9.9976e-02, 6.5504e+04])
    """

    def encode(self, x: Tensor) -> Tensor:
        """Return the bits of each value, as int32."""
        return x.clamp(-_LARGEST, _LARGEST).half().view(torch.int16).to(torch.int32)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the values, as float32."""
        return codes.to(torch.int16).view(torch.float16).float()


class PackedCodes:
    """Codec of a network whose tensors have quantizers; codes are packed without gaps.

    Args:
        graph: Shape and strides of every tensor.
        codings: Name of a storage → its format.
    """

    def __init__(self, graph: MemoryGraph, codings: Mapping[str, Coding]) -> None:
        self.graph, self.codings = graph, codings

    def encode(self, name: str, value: Tensor) -> Tensor:
        """Return the bytes of a storage, with its elements in storage order.

        Args:
            name: Name of the storage.
            value: Its values, in the shape of the tensor that owns it.
        """
        coding, layout = self.codings[name], self.graph.tensors[name]
        codes = torch.zeros(layout.elements, dtype=torch.int32)
        _shaped(codes, layout).copy_(coding.coder.encode(value))
        return torch.from_numpy(pack(codes.numpy(), coding.bits, coding.lowest))

    def decode(self, name: str, codes: Tensor, elements: int) -> Tensor:
        """Return the values of a storage, in storage order.

        Args:
            name: Name of the storage.
            codes: Its bytes, from :meth:`encode`.
            elements: Number of its elements.
        """
        coding, layout = self.codings[name], self.graph.tensors[name]
        flat = torch.from_numpy(unpack(codes.numpy(), elements, coding.bits, coding.lowest))
        decoded = coding.coder.decode(_shaped(flat, layout))
        values = torch.zeros(elements, dtype=decoded.dtype)
        _shaped(values, layout).copy_(decoded)
        return values


def _shaped(flat: Tensor, layout: MemoryTensor) -> Tensor:
    return flat.as_strided(layout.shape, layout.stride, layout.start)
