"""Read an ONNX file as data: its graph and its constants, nothing outside the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper, numpy_helper

from qat.base.errors import InputError
from qat.base.reading import read_bytes

LARGEST_BYTES = 2**31 - 1
"""protobuf reads no larger message."""
_QDQ = ("QuantizeLinear", "DequantizeLinear")
_MQBENCH = (
    "its nodes are those of MQBench: export with convert_deploy for BackendType.Tensorrt and "
    "deploy_to_qlinear"
)
_OTHERS = {
    "DynamicQuantizeLinear": "its ranges are dynamic, so that it has none to import",
    "QLinearConv": "it is in the QOperator format: quantize it in the QDQ format (QuantFormat.QDQ)",
    "QLinearMatMul": "it is in the QOperator format: quantize it in the QDQ format",
    "Quant": "it is in the QONNX format of Brevitas: use export_onnx_qcdq",
    "LearnablePerTensorAffine": _MQBENCH,
    "FixedPerTensorAffine": _MQBENCH,
}


def load_qdq(path: Path) -> onnx.ModelProto:
    """Read an ONNX file that has QuantizeLinear or DequantizeLinear.

    Tensors in other files (external data) are not read.

    Args:
        path: The file.

    Raises:
        InputError: If it is no ONNX file, is cut off, too large, or has no such nodes.
        OSError: If it cannot be read.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(read_bytes(path, LARGEST_BYTES))
    except DecodeError as error:
        raise InputError(
            "it is not an ONNX file, or its end is missing: export or copy it again"
        ) from error
    kinds = {node.op_type for node in model.graph.node}
    if not kinds:
        raise InputError("it is not an ONNX file, or its graph is empty: export it again")
    if kinds.isdisjoint(_QDQ):
        reason = next((words for kind, words in _OTHERS.items() if kind in kinds), None)
        raise InputError(
            reason
            or "it has no QuantizeLinear or DequantizeLinear nodes: it is a float network, "
            "give the quantized one"
        )
    return model


def constants(graph: onnx.GraphProto) -> dict[str, TensorProto]:
    """Name → tensor of each initialiser and of each Constant node with a tensor."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    tensors[node.output[0]] = attribute.t
                elif attribute.name in ("value_float", "value_int"):
                    value = helper.get_attribute_value(attribute)
                    kind = np.float32 if attribute.name == "value_float" else np.int64
                    tensors[node.output[0]] = numpy_helper.from_array(np.asarray(value, kind))
    return tensors


def values_of(name: str, tensors: Mapping[str, TensorProto]) -> np.ndarray[Any, Any]:
    """The values of a constant.

    Args:
        name: Its name.
        tensors: From :func:`constants`.

    Raises:
        InputError: If it is computed by the graph, lies in another file, or is damaged.
    """
    if name not in tensors:
        raise InputError(f"{name!r} is computed by the graph: a scale must be a constant")
    tensor = tensors[name]
    if tensor.data_location == TensorProto.EXTERNAL:
        raise InputError(
            f"{name!r} lies in another file: save the model with all tensors in one file "
            "(onnx.save_model does so by default)"
        )
    try:
        return np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{name!r} is damaged: export the file again") from error


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """Attributes of a node by name."""
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}
