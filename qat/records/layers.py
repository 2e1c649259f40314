"""What a run noted of its layers' tensors, read without torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qat.records.schema import RunRecord

ARTIFACT = "layers"


def read_layers(folder: Path, record: RunRecord) -> list[Mapping[str, Any]]:
    """Rows of the run's ``layers.json``: ``name``, ``slot``, ``sqnr_db`` (null if infinite), ...

    None at all of a float run, of an older one, or where the file is damaged: it illustrates, and
    no number of a table is taken from it.
    """
    artifact = record.artifacts.get(ARTIFACT)
    if artifact is None:
        return []
    try:
        rows = json.loads((folder / artifact.path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return rows if isinstance(rows, list) else []


def output_decibels(folder: Path, record: RunRecord) -> dict[str, float]:
    """Layer → SQNR of its output in dB, of those that lost anything."""
    return {
        row["name"]: row["sqnr_db"]
        for row in read_layers(folder, record)
        if row.get("slot") == "output" and row.get("sqnr_db") is not None
    }
