"""Scales, clipping and code changes over a training, as rows of a CSV file.

This module loads no torch.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from qat.base.reading import decoded, read_bytes
from qat.base.text import csv_text, own_text

METRICS = ("scale", "clipping", "flips", "sqnr_db")
TAGS = {"scale": "scale", "clipping": "clipping", "flips": "flips", "sqnr_db": "sqnr_weight_db"}
"""Metric → its tag in TensorBoard."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One measurement.

    Attributes:
        step: Number of optimizer steps so far.
        layer: Module name.
        slot: ``weight`` or ``act``.
        metric: ``scale`` (mean step), ``clipping`` (share of values more than half a step beyond
            the range), ``flips`` (share of weights that changed their code in this step),
            ``sqnr_db`` (of the weight).
        value: The measured value.
    """

    step: int
    layer: str
    slot: str
    metric: str
    value: float


NAMES = [field.name for field in fields(HistoryRow)]


def append_history(path: Path, rows: Iterable[HistoryRow]) -> None:
    """Append rows to a file; a new file gets a header.

    Args:
        path: The CSV file.
        rows: Rows to append.
    """
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(NAMES)
        writer.writerows(map(_cells, rows))


def _cells(row: HistoryRow) -> tuple[object, ...]:
    return row.step, csv_text(row.layer), row.slot, row.metric, row.value


def read_history(path: Path) -> list[HistoryRow]:
    """Return all complete rows of a file; none if the file does not exist."""
    if not path.exists():
        return []
    return history_rows(decoded(read_bytes(path)))


def history_rows(text: str) -> list[HistoryRow]:
    r"""Return all complete rows of a text; a line that was only partly written is skipped.

    Example:
        >>> history_rows("step,layer,slot,metric,value\n5,fc,act,scale,0.5\n10,fc,a")
        [HistoryRow(step=5, layer='fc', slot='act', metric='scale', value=0.5)]
    """
    rows = []
    for line in text.splitlines()[1:]:
        try:
            step, layer, slot, metric, value = next(csv.reader([line]))
            row = HistoryRow(int(step), own_text(layer), slot, metric, float(value))
        except (ValueError, StopIteration, csv.Error):
            continue
        if 0 <= row.step < 2**63:
            rows.append(row)
    return rows


def forget_after(path: Path, step: int) -> None:
    """Remove the rows after a step, so that a resumed training does not repeat them.

    Args:
        path: The CSV file.
        step: The last step that is kept.
    """
    kept = [row for row in read_history(path) if row.step <= step]
    path.unlink(missing_ok=True)
    if kept:
        append_history(path, kept)


def courses(rows: Iterable[HistoryRow], metric: str) -> dict[str, list[tuple[int, float]]]:
    """Return the course of one metric for each tensor.

    Args:
        rows: Rows of a history.
        metric: One of ``METRICS``.

    Returns:
        ``layer.slot`` → pairs of step and value, in the order of the rows.
    """
    points: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row.metric == metric:
            points.setdefault(f"{row.layer}.{row.slot}", []).append((row.step, row.value))
    return points
