"""Rows of tensors as a DataFrame."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from qat.analysis.rows import TensorRow

if TYPE_CHECKING:
    import pandas as pd

NULLABLE = {"bits": "Int64", "symmetric": "boolean", "dead_channels": "Int64"}
"""Columns whose values would become floating-point numbers because some are absent."""
WORDS = ("name", "slot", "granularity")


def tensor_frame(rows: Sequence[TensorRow]) -> "pd.DataFrame":
    """A DataFrame with the attributes of :class:`qat.analysis.rows.TensorRow` as columns.

    Args:
        rows: One for each row of the frame.

    Example:
        >>> tensor_frame([TensorRow("fc", "weight", 40.5, bits=8)]).loc[0, "sqnr_db"].item()
        40.5
    """
    import pandas as pd

    names = [field.name for field in fields(TensorRow)]
    frame = pd.DataFrame([asdict(row) for row in rows], columns=names)
    kinds = {name: NULLABLE.get(name, "float64") for name in names if name not in WORDS}
    return frame.astype(kinds)
