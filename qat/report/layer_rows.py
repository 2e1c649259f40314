"""The rows of a run's ``layers.json`` as the analysis takes them."""

import math
from dataclasses import asdict

from qat.analysis.rows import TensorRow
from qat.records.side_files.layers import LayersFile


def tensor_rows_of(layers: LayersFile) -> list[TensorRow]:
    """Each row; an SQNR that is None in the file is infinite."""
    rows = [asdict(row) for row in layers.rows]
    return [
        TensorRow(**{**row, "sqnr_db": math.inf if row["sqnr_db"] is None else row["sqnr_db"]})
        for row in rows
    ]
