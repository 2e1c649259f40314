"""What became of steps, clipping and codes over a training, as rows of a CSV; needs no torch."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from qat.base.reading import decoded, read_bytes
from qat.base.text import csv_text, own_text

METRICS = ("scale", "clipping", "flips", "sqnr_db")
TAGS = {"scale": "scale", "clipping": "clipping", "flips": "flips", "sqnr_db": "sqnr_weight_db"}
"""Metric → its name on TensorBoard."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One reading.

    Attributes:
        step: Optimizer steps so far.
        layer: Module name.
        slot: ``weight`` or ``act``.
        metric: ``scale`` (mean step), ``clipping`` (share of values more than half a step beyond
            the range), ``flips`` (share of weights that changed their code in this step),
            ``sqnr_db`` (of the weight).
        value: The reading.
    """

    step: int
    layer: str
    slot: str
    metric: str
    value: float


NAMES = [field.name for field in fields(HistoryRow)]


def append_history(path: Path, rows: Iterable[HistoryRow]) -> None:
    """Add rows; the file is begun if it is not there."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(NAMES)
        writer.writerows(map(_cells, rows))


def _cells(row: HistoryRow) -> tuple[object, ...]:
    return row.step, csv_text(row.layer), row.slot, row.metric, row.value


def read_history(path: Path) -> list[HistoryRow]:
    """All whole rows of a file that this process writes; none if it is not there."""
    if not path.exists():
        return []
    return history_rows(decoded(read_bytes(path)))


def history_rows(text: str) -> list[HistoryRow]:
    """All whole rows; what a kill left half written at the end is passed over."""
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
    """Drop the rows beyond a step: a training that goes on from there writes them anew."""
    kept = [row for row in read_history(path) if row.step <= step]
    path.unlink(missing_ok=True)
    if kept:
        append_history(path, kept)


def courses(rows: Iterable[HistoryRow], metric: str) -> dict[str, list[tuple[int, float]]]:
    """``layer.slot`` → ``(step, value)`` in order, of one metric."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row.metric == metric:
            found.setdefault(f"{row.layer}.{row.slot}", []).append((row.step, row.value))
    return found
