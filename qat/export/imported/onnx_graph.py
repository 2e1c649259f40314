"""The quantized tensors of an ONNX graph in the QDQ format, and which layers they belong to.

A tensor is quantized by QuantizeLinear (perhaps with a Clip of the codes) and DequantizeLinear; a
weight is stored as codes, or as floats that both nodes round. Operations that move values (pools of
maxima, reshapes) have the tensor of their input. Activations between a layer and QuantizeLinear
belong to the layer.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from qat.base.errors import InputError
from qat.export.imported.contents import FileContents, FileTensor, FileWeight
from qat.export.imported.names import layer_names, tensor_names
from qat.export.imported.onnx_codes import Codes, codes_of
from qat.export.imported.onnx_file import attributes_of, constants, values_of

_LAYERS = {"Conv": "conv", "Gemm": "linear", "MatMul": "linear"}
_MOVES = frozenset(
    (
        *("MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity"),
        *("Dropout", "Slice", "Split", "Pad", "Gather", "Concat", "Resize", "DepthToSpace"),
    )
)
_OF_THE_SAME = frozenset(("Relu", "Clip", "BatchNormalization", "Cast"))
KINDS = {
    **{"Add": "add", "Sum": "add", "Mul": "mul"},
    **{"GlobalAveragePool": "pool", "AveragePool": "pool", "ReduceMean": "pool"},
    **{"Sigmoid": "sigmoid", "HardSigmoid": "hardsigmoid", "HardSwish": "hardswish"},
    **{"Tanh": "tanh", "Gelu": "gelu", "LeakyRelu": "leaky_relu", "Elu": "elu"},
}


@dataclass(frozen=True)
class _Origin:
    """Where the values of a float tensor are from.

    Attributes:
        stored: Name of the quantized tensor whose values it has; None if an operation computes it.
        computed: Kind of that operation and names of the quantized tensors that it reads.
        codes: The codes of ``stored``.
    """

    stored: str | None = None
    computed: tuple[str, ...] = ()
    codes: Codes | None = None


def read_graph(graph: onnx.GraphProto) -> FileContents:
    """The quantized tensors of a graph.

    Args:
        graph: Of a model in the QDQ format.

    Raises:
        InputError: If a scale, a zero point or a type is wrong; the message names the tensor.
    """
    reader = _Reader(graph)
    for node in graph.node:
        reader.read(node)
    return reader.contents()


class _Reader:
    """Walks over the nodes in their order."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.tensors = constants(graph)
        inputs = {value.name for value in graph.input} - self.tensors.keys()
        self.origins = {name: _Origin(computed=("input",)) for name in inputs}
        self.codes: dict[str, Codes] = {}
        self.parameters: dict[str, Codes] = {}
        self.values: dict[str, np.ndarray[Any, Any]] = {}  # of parameters, decoded
        self.aliases: dict[str, str] = {}
        self.weights: dict[str, FileWeight] = {}
        self.inputs: dict[str, FileTensor] = {}
        self.between: dict[str, FileTensor] = {}
        self.ignored: dict[str, str] = {}

    def contents(self) -> FileContents:
        """What was read."""
        return FileContents(self.weights, self.inputs, self.between, self.ignored)

    def read(self, node: onnx.NodeProto) -> None:
        """Take one node."""
        special: Mapping[str, Callable[[onnx.NodeProto], None]] = {
            "QuantizeLinear": self._quantize,
            "DequantizeLinear": self._dequantize,
            "Clip": self._clip,
            "Constant": lambda _: None,
        }
        if node.op_type in special:
            special[node.op_type](node)
        elif node.op_type in _LAYERS and self._is_layer(node):
            self._layer(node)
        elif node.input and node.input[0] in self.parameters and node.op_type in _MOVES:
            self._move_parameter(node)
        elif node.op_type == "Cast" and self._constant(node.input[0]) is not None:
            self.aliases[node.output[0]] = self._constant(node.input[0]) or ""
        else:
            self._compute(node)

    def _constant(self, name: str) -> str | None:
        """The constant that a name stands for, also through a Cast of its codes."""
        name = self.aliases.get(name, name)
        return name if name in self.tensors else None

    def _quantize(self, node: onnx.NodeProto) -> None:
        constant = self._constant(node.input[0])
        of = constant or node.input[0]
        self.codes[node.output[0]] = codes_of(node, self.tensors, of)

    def _clip(self, node: onnx.NodeProto) -> None:
        if node.input[0] not in self.codes:
            self._compute(node)
            return
        bounds = [
            int(values_of(name, self.tensors).reshape(-1)[0]) if name else None
            for name in [*node.input[1:], "", ""][:2]
        ]
        self.codes[node.output[0]] = self.codes[node.input[0]].clipped(*bounds)

    def _dequantize(self, node: onnx.NodeProto) -> None:
        source, out = node.input[0], node.output[0]
        constant = self._constant(source)
        if constant is not None:
            self._stored_constant(node, constant)
        elif source not in self.codes:
            raise InputError(f"{source!r} is decoded, and no node or constant encodes it")
        elif self._constant(self.codes[source].of) is not None:
            self.parameters[out] = self.codes[source]
            self._take_values(out, self.codes[source].of, None)
        else:
            self.origins[out] = self._stored(self.codes[source])

    def _stored_constant(self, node: onnx.NodeProto, constant: str) -> None:
        kind = self.tensors[constant].data_type
        if kind == onnx.TensorProto.INT32:
            self.ignored[constant] = "a bias"
            return
        codes = self.parameters[node.output[0]] = codes_of(node, self.tensors, constant, kind)
        self._take_values(node.output[0], constant, codes)

    def _take_values(self, out: str, constant: str, codes: Codes | None) -> None:
        """Take the values of a constant, decoded; without codes they are floats."""
        with suppress(InputError):  # in another file: they cannot be compared
            values = values_of(constant, self.tensors).astype(np.float32)
            self.values[out] = values if codes is None else codes.decoded(values)

    def _stored(self, codes: Codes) -> _Origin:
        """The origin of decoded values."""
        origin = self.origins.get(codes.of, _Origin(computed=("other",)))
        if origin.stored is not None:  # moved, and quantized again
            assert origin.codes is not None
            if origin.codes.encoding() != codes.encoding():
                self.ignored[codes.of] = f"another scale of the values of {origin.stored}"
            return _Origin(origin.stored, origin.computed, codes)
        names = tensor_names(codes.of)
        self.between[codes.of] = FileTensor(names, codes.encoding(), origin.computed)
        return _Origin(codes.of, origin.computed, codes)

    def _is_layer(self, node: onnx.NodeProto) -> bool:
        weight = node.input[1]
        return weight in self.parameters or self._constant(weight) is not None

    def _layer(self, node: onnx.NodeProto) -> None:
        kind, weight = _LAYERS[node.op_type], node.input[1]
        codes = self.parameters.get(weight)
        key = codes.of if codes is not None else weight
        if codes is not None:
            self.weights[key] = _weight(node, codes, self.values.get(weight))
        origin = self.origins.get(node.input[0], _Origin(computed=("other",)))
        if origin.codes is not None:
            names = layer_names(key, node.name)
            self.inputs[key] = FileTensor(names, origin.codes.encoding())
        self.origins[node.output[0]] = _Origin(computed=(kind, key))

    def _move_parameter(self, node: onnx.NodeProto) -> None:
        codes = self.parameters[node.input[0]]
        if node.op_type == "Transpose":
            order = attributes_of(node).get("perm") or tuple(reversed(range(len(codes.shape))))
            codes = codes.transposed(tuple(order))
            if node.input[0] in self.values:
                self.values[node.output[0]] = self.values[node.input[0]].transpose(order)
        self.parameters[node.output[0]] = codes

    def _compute(self, node: onnx.NodeProto) -> None:
        """Take an operation without a quantized weight."""
        values = [name for name in node.input if name in self.origins]
        if not values:
            return
        first = self.origins[values[0]]
        origin = _Origin(computed=(KINDS.get(node.op_type, "other"), *map(self._name, values)))
        if node.op_type in _MOVES:
            origin = first
        elif node.op_type in _OF_THE_SAME or (node.op_type == "Add" and len(values) == 1):
            origin = _Origin(computed=first.computed)  # of the layer before it
        for output in node.output:
            self.origins[output] = origin

    def _name(self, value: str) -> str:
        return self.origins[value].stored or ""


def _weight(node: onnx.NodeProto, codes: Codes, values: np.ndarray[Any, Any] | None) -> FileWeight:
    """The weight of a layer, whose scales must be those of its outputs."""
    last = node.op_type == "MatMul" or (
        node.op_type == "Gemm" and not attributes_of(node).get("transB", 0)
    )
    axis = len(codes.shape) - 1 if last else 0
    if len(codes.scale) > 1 and codes.axis != axis:
        raise InputError(
            f"{codes.of!r} has scales along axis {codes.axis}: export it with one scale for the "
            "tensor, or for each output channel"
        )
    outputs = codes.shape[axis] if codes.shape else None
    if values is not None and last:
        values = values.swapaxes(0, -1)
    return FileWeight(layer_names(codes.of, node.name), codes.encoding(), outputs, values)
