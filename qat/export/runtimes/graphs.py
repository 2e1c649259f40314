"""Reading and changing ONNX files for the runtimes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qat.base.errors import InputError
from qat.export.runtimes.base import Source, require

_CURE = "pip install onnx"
_SHOWN = 5


def read_graph(model: Source, weights: bool = True) -> Any:
    """The ``onnx.ModelProto`` of a file or of bytes.

    Args:
        model: An ONNX file or its bytes.
        weights: Also read weights that are stored in separate files.

    Raises:
        ValueError: If onnx is not installed, the file does not exist or is not an ONNX file.
    """
    onnx = require("onnx", _CURE)
    damaged = require("google.protobuf.message", _CURE).DecodeError
    try:
        if isinstance(model, bytes):
            return onnx.load_model_from_string(model)
        return onnx.load_model(str(existing(model)), load_external_data=weights)
    except damaged:
        name = f"{len(model)} bytes" if isinstance(model, bytes) else str(model)
        raise InputError(f"{name}: not an ONNX file, or a damaged one; export it again") from None


def existing(file: str | Path) -> Path:
    """The path of a file that exists.

    Raises:
        ValueError: If it does not exist.
    """
    path = Path(file)
    if not path.is_file():
        raise InputError(f"{path}: no such file; export the network first")
    return path


def with_outputs(model: Source, names: Sequence[str]) -> bytes:
    """The model with more of its tensors as outputs.

    Args:
        model: An ONNX file or its bytes.
        names: Tensors inside the network.

    Returns:
        Bytes of the changed model; the file is not changed.

    Raises:
        ValueError: If the network has no tensor with such a name, or the file cannot be read.
    """
    onnx = require("onnx", _CURE)
    proto = read_graph(model)
    tensors = [name for node in proto.graph.node for name in node.output]
    unknown = [name for name in names if name not in tensors]
    if unknown:
        some = ", ".join(tensors[:_SHOWN])
        raise InputError(
            f"no tensor {unknown[0]} in the network; it has {len(tensors)} tensors: {some}, ..."
        )
    outputs = {output.name for output in proto.graph.output}
    new = [name for name in dict.fromkeys(names) if name not in outputs]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in new)
    return bytes(proto.SerializeToString())


def layer_names(model: Source) -> set[str]:
    """The layers in the names of a file's nodes: the parts before the first ``/``."""
    nodes = read_graph(model, weights=False).graph.node
    return {node.name.partition("/")[0] for node in nodes} - {""}


def output_names(model: Source) -> list[str]:
    """Names of the outputs of a file, in their order."""
    return [output.name for output in read_graph(model, weights=False).graph.output]
