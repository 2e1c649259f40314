"""ONNX models on disk."""

from pathlib import Path

import onnx

from qat.export.aside import aside

INPUT, OUTPUT, BATCH = "images", "logits", "batch"
"""Names of every exported network's input, output and open first axis."""
OPSET = 21
PRODUCER = "qatlab"


def save_onnx(model: onnx.ModelProto, path: Path) -> int:
    """Write a model, whole or not at all.

    Returns:
        Bytes written.

    Raises:
        OSError: If the disk is full, or the place cannot be written; an older file stays.
    """
    path = Path(path)
    with aside(path) as written:
        written.write_bytes(model.SerializeToString())
    return path.stat().st_size
