"""The codes of one QuantizeLinear or DequantizeLinear node."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from qat.base.errors import InputError
from qat.export.imported.encoding import Encoding, encoding
from qat.export.imported.onnx_file import attributes_of, values_of

Tensors = Mapping[str, TensorProto]
_INTEGER = re.compile(r"(U?)INT(\d+)")


@dataclass(frozen=True)
class Codes:
    """Codes with scale and zero point.

    Attributes:
        of: Name of the tensor that is quantized; of a stored constant for its codes.
        low: Smallest code.
        high: Largest code.
        scale: One, or one for each channel.
        zero_point: One, or as many.
        axis: Axis of the channels.
        width: Bits of the type.
        signed: The type has negative codes.
        shape: Of a constant; empty if it is not known.
    """

    of: str
    low: int
    high: int
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int
    width: int
    signed: bool
    shape: tuple[int, ...] = ()

    def encoding(self) -> Encoding:
        """The codes in the terms of this project.

        Bounds that no number of bits has are those of an operation such as ReLU6, which the network
        has too; then all codes of the type count.

        Raises:
            InputError: If a scale or a zero point is wrong; the message names the tensor.
        """
        bounds = _bounds(self.signed, self.width)
        whole = replace(self, low=bounds["low"], high=bounds["high"])
        for codes in (self, whole):
            try:
                return encoding(codes.low, codes.high, self.scale, self.zero_point)
            except InputError as error:
                if codes == whole:
                    raise InputError(f"{self.of!r} {error}") from error
        raise AssertionError

    def clipped(self, low: int | None, high: int | None) -> "Codes":
        """The same within further bounds.

        Args:
            low: Smallest code; None for no bound.
            high: Largest code, likewise.
        """
        bottom = self.low if low is None else max(low, self.low)
        return replace(self, low=bottom, high=self.high if high is None else min(high, self.high))

    def decoded(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The numbers that stored codes stand for, ``scale * (q - zero_point)``."""
        scale, zero = np.array(self.scale, np.float32), np.array(self.zero_point, np.float32)
        shape = [1] * values.ndim
        if len(scale) > 1:
            shape[self.axis] = len(scale)
            zero = np.broadcast_to(zero, scale.shape).reshape(shape)
        return np.asarray(scale.reshape(shape) * (values - zero))

    def transposed(self, order: tuple[int, ...]) -> "Codes":
        """The same after a permutation of the axes."""
        axis = order.index(self.axis) if self.axis in order else self.axis
        return replace(self, axis=axis, shape=tuple(self.shape[i] for i in order))


def codes_of(node: onnx.NodeProto, tensors: Tensors, of: str, kind: int | None = None) -> Codes:
    """The codes of a node.

    Args:
        node: QuantizeLinear or DequantizeLinear.
        tensors: Constants of the graph.
        of: Name of the tensor that is quantized.
        kind: Type of the codes, if they are stored; None takes it from the node.

    Raises:
        InputError: If its type has no codes, it has blocks, or a value cannot be read.
    """
    attributes = attributes_of(node)
    if attributes.get("block_size", 0):
        raise InputError(
            f"{of!r} has blocks of {attributes['block_size']} values for each scale: export it "
            "with one scale for the tensor or for each channel"
        )
    zero = node.input[2] if len(node.input) > 2 and node.input[2] else None
    if kind is None:
        default = attributes.get("output_dtype") or TensorProto.UINT8
        kind = default if zero is None else _known(zero, tensors).data_type
    of_type = _type_of(of, kind)
    scale = values_of(node.input[1], tensors).reshape(-1)
    zeros = (0,) if zero is None else _whole(values_of(zero, tensors))
    shape = tuple(tensors[of].dims) if of in tensors else ()
    axis = int(attributes.get("axis", 1))
    axis = axis + len(shape) if axis < 0 else axis
    numbers = tuple(map(float, scale))
    return Codes(of, **of_type, scale=numbers, zero_point=zeros, axis=axis, shape=shape)


def _type_of(of: str, kind: int) -> dict[str, Any]:
    name = TensorProto.DataType.Name(kind)
    matched = _INTEGER.fullmatch(name)
    if matched is None or int(matched[2]) > 16:
        raise InputError(
            f"{of!r} has codes of type {name}: integers of 2 to 16 bits can be imported"
        )
    width = int(matched[2])
    signed = not matched[1]
    return {**_bounds(signed, width), "width": width, "signed": signed}


def _bounds(signed: bool, width: int) -> dict[str, int]:
    low = -(2 ** (width - 1)) if signed else 0
    return {"low": low, "high": low + 2**width - 1}


def _known(name: str, tensors: Tensors) -> TensorProto:
    if name not in tensors:
        raise InputError(f"the zero point {name!r} is computed by the graph: it must be a constant")
    return tensors[name]


def _whole(zeros: Any) -> tuple[int, ...]:
    return tuple(int(zero) for zero in zeros.reshape(-1))
