"""What a run noted of its layers' tensors, read without torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qat.records.file_names import LAYERS_NAME
from qat.records.schema import RunRecord
from qat.records.side_files import SideFileError, shaped, side_file

ARTIFACT = "layers"


def read_layers(folder: Path, record: RunRecord) -> list[Mapping[str, Any]]:
    """Rows of the run's ``layers.json``: ``name``, ``slot``, ``sqnr_db`` (null if infinite), ...

    None at all of a float run or of an older one.

    Raises:
        SideFileError: If the file is gone, damaged, or another one.
    """
    if ARTIFACT not in record.artifacts:
        return []
    file = side_file(folder, record, ARTIFACT, LAYERS_NAME)
    if file is None:
        return []
    rows = file.json()
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise SideFileError(f"{file.path} is no list of rows")
    return rows


def output_decibels(folder: Path, record: RunRecord) -> dict[str, float]:
    """Layer → SQNR of its output in dB, of those that lost anything.

    Raises:
        SideFileError: See :func:`read_layers`.
    """
    with shaped(folder / LAYERS_NAME):
        return {
            str(row["name"]): float(row["sqnr_db"])
            for row in read_layers(folder, record)
            if row.get("slot") == "output" and row.get("sqnr_db") is not None
        }
