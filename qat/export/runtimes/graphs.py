"""ONNX files as the runtimes need them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qat.base.errors import InputError
from qat.export.runtimes.base import Source, require

_CURE = "pip install onnx"
_SHOWN = 5


def read_graph(model: Source, weights: bool = True) -> Any:
    """The ``onnx.ModelProto`` of a file or of bytes.

    Raises:
        ValueError: If there is no such file, or it is no ONNX file.
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
    """``file`` as a path.

    Raises:
        ValueError: If there is none.
    """
    path = Path(file)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; export the network first")
    return path


def with_outputs(model: Source, names: Sequence[str]) -> bytes:
    """The file with tensors inside it handed out as outputs too.

    Raises:
        ValueError: If no node makes a tensor of such a name.
    """
    onnx = require("onnx", _CURE)
    proto = read_graph(model)
    made = [name for node in proto.graph.node for name in node.output]
    unknown = [name for name in names if name not in made]
    if unknown:
        some = ", ".join(made[:_SHOWN])
        raise InputError(f"no tensor {unknown[0]} in the network; of its {len(made)}: {some}, ...")
    there = {output.name for output in proto.graph.output}
    new = [name for name in dict.fromkeys(names) if name not in there]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in new)
    return bytes(proto.SerializeToString())


def layer_names(model: Source) -> set[str]:
    """What the node names of a file say up to their first ``/``."""
    nodes = read_graph(model, weights=False).graph.node
    return {node.name.partition("/")[0] for node in nodes} - {""}


def output_names(model: Source) -> list[str]:
    """What a file hands out, in its order."""
    return [output.name for output in read_graph(model, weights=False).graph.output]
