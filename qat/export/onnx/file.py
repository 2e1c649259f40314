"""ONNX models on disk."""

from collections.abc import Iterable
from pathlib import Path

import onnx
from onnx import helper

from qat.base.atomic import atomic_path

INPUT, OUTPUT, BATCH = "images", "logits", "batch"
"""Names of every exported network's input, output and open first axis."""
OPSET, OPSET_INT2 = 21, 25
"""Of the operators; the newer one has 2-bit integers, which fewer programs read."""
PRODUCER = "qatlab"


def save_onnx(model: onnx.ModelProto, path: Path) -> int:
    """Write a model, whole or not at all.

    Returns:
        Bytes written.

    Raises:
        OSError: If the disk is full, or the place cannot be written; an older file stays.
    """
    path = Path(path)
    with atomic_path(path) as written:
        written.write_bytes(model.SerializeToString())
    return path.stat().st_size


def set_opset(model: onnx.ModelProto, stored_bits: Iterable[int]) -> None:
    """Ask for the oldest operators that have integers of these widths."""
    version = OPSET_INT2 if 2 in stored_bits else OPSET
    opset = helper.make_opsetid("", version)
    del model.opset_import[:]
    model.opset_import.append(opset)
    model.ir_version = helper.find_min_ir_version_for([opset])
