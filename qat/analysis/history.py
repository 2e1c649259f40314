"""What became of steps, clipping and codes over a training, as rows of a CSV; needs no torch."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

HISTORY_NAME = "history.csv"
"""In a run's folder."""
METRICS = ("scale", "clipping", "flips", "sqnr_db")


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
        writer.writerows(astuple(row) for row in rows)


def read_history(path: Path) -> list[HistoryRow]:
    """All whole rows; what a kill left half written at the end is passed over."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    rows = []
    for line in lines[1:]:
        try:
            step, layer, slot, metric, value = line
            rows.append(HistoryRow(int(step), layer, slot, metric, float(value)))
        except ValueError:
            continue
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
