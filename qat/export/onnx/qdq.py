"""An integer program as an ONNX file of standard QuantizeLinear / DequantizeLinear operators.

Weights are stored at their width: int8, int4 (also for 3 bits) or int2 initialisers; a Cast widens
them to int8 when the file is loaded, so that 8-bit integer kernels can run them. Biases are int32
of scale ``s_x * s_w``. Activations are uint8. If they have fewer bits, a Clip after QuantizeLinear
limits the codes; a Clip of floats before it would prevent runtimes from fusing the convolution.
https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from qat.export.onnx.file import BATCH, INPUT, OUTPUT, PRODUCER, set_opset
from qat.export.program import UINT8_MAX, Program, Step, Weight

_WIDE = 8
_STORED = {
    (2, True): TensorProto.INT2,
    (2, False): TensorProto.UINT2,
    (4, True): TensorProto.INT4,
    (4, False): TensorProto.UINT4,
    (_WIDE, True): TensorProto.INT8,
    (_WIDE, False): TensorProto.UINT8,
}


def to_onnx(program: Program) -> onnx.ModelProto:
    """The ONNX model of an integer program, checked by ``onnx.checker``."""
    writer = _Writer(program)
    for step in program.steps:
        writer.write(step)
    model = writer.model()
    onnx.checker.check_model(model, full_check=True)
    return model


def stored_bits(bits: int) -> int:
    """Width of the narrowest ONNX type that holds codes of a given width.

    Example:
        >>> [stored_bits(bits) for bits in (2, 3, 4, 5)]
        [2, 4, 4, 8]
    """
    return next(width for width in (2, 4, _WIDE) if bits <= width)


def stored_weight(
    name: str, codes: Any, weight: Weight, widened: str
) -> tuple[onnx.TensorProto, onnx.NodeProto | None]:
    """Codes as an initialiser of their width, and a Cast to 8 bits if they are narrower.

    Args:
        name: Name of the initialiser.
        codes: Codes of the weight, in the stored order.
        weight: Width and sign of the codes.
        widened: Name of the output of the Cast.
    """
    wide = codes.astype(np.int8 if weight.signed else np.uint8)
    width = stored_bits(weight.bits)
    if width == _WIDE:
        return _initialiser(name, wide), None
    narrow = wide.astype(helper.tensor_dtype_to_np_dtype(_STORED[width, weight.signed]))
    to = _STORED[_WIDE, weight.signed]
    return _initialiser(name, narrow), helper.make_node("Cast", [name], [widened], widened, to=to)


def _initialiser(name: str, array: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array, order="C"), name)


class _Writer:
    """Builds nodes and initialisers, step by step."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.decoded: set[str] = set()

    def write(self, step: Step) -> None:
        """Add one step: decode its inputs, compute in float, encode its output.

        Args:
            step: Operation of the program.
        """
        inputs = [self.values(name) for name in step.inputs]
        if step.weight is not None:
            inputs += self.parameters(step)
        result = _OPERATIONS[step.kind](self, step, inputs)
        self.encode(step, result)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node, named like its output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def result(self, kind: str, inputs: list[str], step: Step, **attributes: Any) -> str:
        """Add the node that computes a step; the node has the step's name, its output another."""
        output = f"{step.name}/result"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=step.name, **attributes))
        return output

    def constant(self, name: str, array: Any) -> str:
        """Add an initialiser."""
        self.constants[name] = _initialiser(name, array)
        return name

    def values(self, name: str) -> str:
        """Name of a stored tensor's values in float; the image is float already."""
        if name == "input" and name not in self.decoded and not self.is_stored(name):
            return INPUT
        decoded = f"{name}/values"
        if name not in self.decoded:
            self.decoded.add(name)
            self.node("DequantizeLinear", [f"{name}/codes", *self.scale(name)], decoded)
        return decoded

    def scaled(self, step: Step, factor: float) -> str:
        """The second input of a step times a factor, by decoding its codes with another scale."""
        name = step.inputs[1]
        scale = np.float32(self.program.formats[name].scale * np.float32(factor))
        own = self.constant(f"{step.name}/scale_of_{name}", scale)
        inputs = [f"{name}/codes", own, self.scale(name)[1]]
        return self.node("DequantizeLinear", inputs, f"{step.name}/scaled")

    def is_stored(self, name: str) -> bool:
        """True if a node computes the codes of the tensor already."""
        return any(f"{name}/codes" in node.output for node in self.nodes)

    def scale(self, name: str) -> list[str]:
        """Names of the initialisers of a tensor's scale and zero point."""
        form = self.program.formats[name]
        names = [f"{name}/scale", f"{name}/zero_point"]
        if names[0] not in self.constants:
            self.constant(names[0], np.float32(form.scale))
            self.constant(names[1], np.uint8(form.zero_point))
        return names

    def encode(self, step: Step, values: str) -> None:
        """Round to codes, and clip them to the bounds of the step."""
        name = step.output
        clipped = (step.low, step.high) != (0, UINT8_MAX) and _narrows(step)
        raw = f"{name}/unclipped" if clipped else f"{name}/codes"
        self.node("QuantizeLinear", [values, *self.scale(name)], raw)
        if clipped:
            low = self.constant(f"{name}/low", np.uint8(step.low))
            high = self.constant(f"{name}/high", np.uint8(step.high))
            self.node("Clip", [raw, low, high], f"{name}/codes")

    def parameters(self, step: Step) -> list[str]:
        """Weight and bias as floats, from integers."""
        assert step.weight is not None
        weight = step.weight
        transposed = step.kind == "linear"  # the form that runtimes recognize as a matrix product
        codes = weight.codes.T if transposed else weight.codes
        axis = codes.ndim - 1 if transposed else 0
        stored = self.integers(f"{step.name}/weight", codes, weight)
        scale = self.constant(f"{step.name}/weight_scale", _scalar(weight.scale))
        kind = np.int8 if weight.signed else np.uint8
        zero = self.constant(f"{step.name}/weight_zero_point", _scalar(_like(weight).astype(kind)))
        parameters = [
            self.node(
                "DequantizeLinear", [stored, scale, zero], f"{step.name}/weight_values", axis=axis
            )
        ]
        if step.bias is not None:
            parameters.append(self.bias(step, weight))
        return parameters

    def integers(self, name: str, codes: Any, weight: Weight) -> str:
        """Codes stored at their width and widened to 8 bits."""
        tensor, cast = stored_weight(name, codes, weight, f"{name}_8bit")
        self.constants[tensor.name] = tensor
        if cast is None:
            return tensor.name
        self.nodes.append(cast)
        return str(cast.output[0])

    def bias(self, step: Step, weight: Weight) -> str:
        """The bias in float, from integer codes of scale ``s_x * s_w``."""
        assert step.bias is not None
        name = f"{step.name}/bias"
        scale = self.program.formats[step.inputs[0]].scale * weight.scale
        codes = self.constant(name, step.bias.astype(np.int32))
        scales = self.constant(f"{name}_scale", _scalar(scale.astype(np.float32)))
        zero = self.constant(f"{name}_zero_point", _scalar(np.zeros_like(weight.zero_point)))
        return self.node("DequantizeLinear", [codes, scales, zero], f"{name}_values", axis=0)

    def model(self) -> onnx.ModelProto:
        """The whole model; the batch axis is open."""
        program = self.program
        last = self.values(program.output)
        # The slash avoids a conflict with a layer that has the name "logits".
        self.nodes.append(helper.make_node("Identity", [last], [OUTPUT], name=f"/{OUTPUT}"))
        graph = helper.make_graph(
            self.nodes,
            program.name,
            [_float_info(INPUT, program.input_shape)],
            [_float_info(OUTPUT, program.output_shape)],
            list(self.constants.values()),
        )
        model = helper.make_model(graph, producer_name=PRODUCER)
        set_opset(model, {stored_bits(s.weight.bits) for s in program.layers() if s.weight})
        helper.set_model_props(model, {"plan": json.dumps(program.plan)})
        return model


def _float_info(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, *shape])


def _narrows(step: Step) -> bool:
    """False for moves: their output has no other codes than their input."""
    return step.kind not in _MOVES


def _scalar(array: Any) -> Any:
    return array[0] if array.size == 1 else array


def _like(weight: Weight) -> Any:
    return np.broadcast_to(weight.zero_point, weight.scale.shape)


def _same(writer: _Writer, step: Step, inputs: list[str]) -> str:
    return inputs[0]


def _conv(writer: _Writer, step: Step, inputs: list[str]) -> str:
    assert step.weight is not None
    a = step.attributes
    return writer.result(
        "Conv",
        inputs,
        step,
        kernel_shape=list(step.weight.codes.shape[2:]),
        strides=list(a["stride"]),
        pads=_pads(a["padding"]),
        dilations=list(a["dilation"]),
        group=a["groups"],
    )


def _linear(writer: _Writer, step: Step, inputs: list[str]) -> str:
    return writer.result("Gemm", inputs, step)


def _max_pool(writer: _Writer, step: Step, inputs: list[str]) -> str:
    a = step.attributes
    return writer.result("MaxPool", inputs, step, dilations=list(a["dilation"]), **_window(a))


def _avg_pool(writer: _Writer, step: Step, inputs: list[str]) -> str:
    a = step.attributes
    include = int(a["count_include_pad"])
    return writer.result("AveragePool", inputs, step, count_include_pad=include, **_window(a))


def _global_avg_pool(writer: _Writer, step: Step, inputs: list[str]) -> str:
    source, result = (writer.program.formats[name] for name in (step.inputs[0], step.output))
    low, high = _POOLED_RATIOS
    if low <= float(source.scale) / float(result.scale) < high:
        plane = writer.result("GlobalAveragePool", inputs, step)
    else:
        axes = writer.constant(f"{step.name}/axes", np.array([2, 3], np.int64))
        plane = writer.result("ReduceMean", [*inputs, axes], step, keepdims=1)
    if step.attributes["keepdim"]:
        return plane
    return writer.node("Flatten", [plane], f"{step.name}/flat", axis=1)


def _concat(writer: _Writer, step: Step, inputs: list[str]) -> str:
    return writer.result("Concat", inputs, step, axis=step.attributes["axis"])


def _reshape(writer: _Writer, step: Step, inputs: list[str]) -> str:
    shape = np.array([0, *step.attributes["shape"]], np.int64)  # 0: the batch stays
    return writer.result("Reshape", [*inputs, writer.constant(f"{step.name}/shape", shape)], step)


def _permute(writer: _Writer, step: Step, inputs: list[str]) -> str:
    return writer.result("Transpose", inputs, step, perm=list(step.attributes["dims"]))


def _slice(writer: _Writer, step: Step, inputs: list[str]) -> str:
    ranges = step.attributes["ranges"]
    names = [
        writer.constant(f"{step.name}/{part}", np.array(values, np.int64))
        for part, values in (
            ("starts", [start for start, _, _ in ranges]),
            ("ends", [end for _, end, _ in ranges]),
            ("axes", range(1, len(ranges) + 1)),
            ("steps", [step_ for _, _, step_ in ranges]),
        )
    ]
    return writer.result("Slice", [*inputs, *names], step)


def _pad(writer: _Writer, step: Step, inputs: list[str]) -> str:
    widths = step.attributes["widths"]
    pads = np.array([w[0] for w in widths] + [w[1] for w in widths], np.int64)
    return writer.result("Pad", [*inputs, writer.constant(f"{step.name}/pads", pads)], step)


def _resize(writer: _Writer, step: Step, inputs: list[str]) -> str:
    """Select rows and columns by index, because runtimes round coordinates differently."""
    rows, columns = (
        writer.constant(f"{step.name}/{part}", np.array(step.attributes[part], np.int64))
        for part in ("rows", "columns")
    )
    taken = writer.node("Gather", [inputs[0], rows], f"{step.name}/taken", axis=2)
    return writer.result("Gather", [taken, columns], step, axis=3)


def _add(writer: _Writer, step: Step, inputs: list[str]) -> str:
    if "alpha" in step.attributes:
        inputs = [inputs[0], writer.scaled(step, step.attributes["alpha"])]
    return writer.result("Add", inputs, step)


def _silu(writer: _Writer, step: Step, inputs: list[str]) -> str:
    gate = writer.node("Sigmoid", inputs, f"{step.name}/sigmoid")
    return writer.result("Mul", [inputs[0], gate], step)


def _plain(kind: str, **attributes: Any) -> Callable[[_Writer, Step, list[str]], str]:
    def write(writer: _Writer, step: Step, inputs: list[str]) -> str:
        return writer.result(kind, inputs, step, **attributes)

    return write


def _named(kind: str, **names: str) -> Callable[[_Writer, Step, list[str]], str]:
    """A writer of nodes whose attributes are those of the step, under the names of ONNX."""

    def write(writer: _Writer, step: Step, inputs: list[str]) -> str:
        renamed = {onnx_name: step.attributes[name] for onnx_name, name in names.items()}
        return writer.result(kind, inputs, step, **renamed)

    return write


_POOLED_RATIOS = (2.0**-16, 256.0)
"""onnxruntime's QLinearGlobalAveragePool raises an error at run time if ``s_x / (s_y * pixels)`` is
outside 2^-32 .. 256. Outside the bounds here, which assume fewer than 2^16 pixels, ReduceMean is
written, which onnxruntime computes in float."""


def _pads(padding: Any) -> list[int]:
    return [before for before, _ in padding] + [after for _, after in padding]


def _window(a: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kernel_shape": list(a["kernel"]),
        "strides": list(a["stride"]),
        "pads": _pads(a["padding"]),
    }


_MOVES = {
    "max_pool": _max_pool,
    "concat": _concat,
    "reshape": _reshape,
    "permute": _permute,
    "slice": _slice,
    "pad": _pad,
    "resize": _resize,
}
_OPERATIONS: Mapping[str, Callable[[_Writer, Step, list[str]], str]] = {
    **_MOVES,
    "quantize": _same,
    "relu6": _same,  # the bounds of the codes clip the values
    "relu": _plain("Relu"),
    "conv": _conv,
    "norm": _conv,
    "linear": _linear,
    "add": _add,
    "mul": _plain("Mul"),
    "avg_pool": _avg_pool,
    "global_avg_pool": _global_avg_pool,
    "silu": _silu,
    "hardswish": _plain("HardSwish"),
    "sigmoid": _plain("Sigmoid"),
    "hardsigmoid": _plain("HardSigmoid", alpha=1 / 6, beta=0.5),
    "tanh": _plain("Tanh"),
    "gelu": _named("Gelu", approximate="approximate"),
    "leaky_relu": _named("LeakyRelu", alpha="negative_slope"),
    "elu": _named("Elu", alpha="alpha"),
}
