"""ONNX models on disk."""

from collections.abc import Iterable
from pathlib import Path

import onnx
from onnx import helper

from qat.base.atomic import atomic_path

INPUT, OUTPUT, BATCH = "images", "logits", "batch"
"""Names of the input, the output and the batch axis of every exported network."""
OPSET, OPSET_INT2 = 21, 25
"""Versions of the operator set; the second one has 2-bit integers, but fewer programs read it."""
PRODUCER = "qatlab"


def save_onnx(model: onnx.ModelProto, path: Path) -> int:
    """Write a model atomically: either the complete file or nothing.

    Args:
        model: Model to write.
        path: File to write or to replace.

    Returns:
        Size of the file in bytes.

    Raises:
        OSError: If the disk is full or the file cannot be written; an older file is kept.
    """
    path = Path(path)
    with atomic_path(path) as written:
        written.write_bytes(model.SerializeToString())
    return path.stat().st_size


def set_opset(model: onnx.ModelProto, stored_bits: Iterable[int]) -> None:
    """Declare the oldest operator set that has integers of these widths.

    Args:
        model: Changed in place.
        stored_bits: Widths of the stored weights.

    Example:
        >>> model = onnx.ModelProto()
        >>> set_opset(model, {8, 2})
        >>> model.opset_import[0].version
        25
    """
    version = OPSET_INT2 if 2 in stored_bits else OPSET
    opset = helper.make_opsetid("", version)
    del model.opset_import[:]
    model.opset_import.append(opset)
    model.ir_version = helper.find_min_ir_version_for([opset])
