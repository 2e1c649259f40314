"""``history.csv``: scales, clipping and changed codes of each tensor over a training.

The file grows while the run trains, so it is lines of text. Its columns stand for its version: a
file with other columns is refused.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, NoReturn, Self, TypeVar

from qat.base.errors import InputError
from qat.base.reading import UnreadableError, decoded
from qat.base.text import csv_text, own_text, plain_line
from qat.records.file_names import HISTORY_NAME
from qat.records.schema import RunRecord
from qat.records.shapes import wrong_value
from qat.records.side_files.typed_file import ANEW, LONGEST_REASON
from qat.records.side_files.verified import SideFileError, read_content, side_file

METRICS = ("scale", "clipping", "flips", "sqnr_db")
LAST_STEP = 2**63 - 1
Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One measurement.

    Attributes:
        step: Number of optimizer steps so far.
        layer: Module name.
        slot: ``weight`` or ``act``.
        metric: ``scale`` (mean step), ``clipping`` (share of values more than half a step outside
            of the range), ``flips`` (share of weights that changed their code in this step),
            ``sqnr_db`` (of the weight).
        value: The measured value; may be NaN or infinite.

    Raises:
        InputError: If the step is negative or too large, or the metric is none of these.
    """

    step: int
    layer: str
    slot: str
    metric: str
    value: float

    def __post_init__(self) -> None:
        """Check what readers rely on."""
        if not 0 <= self.step <= LAST_STEP:
            raise wrong_value("step", "an integer of 0 to 2^63 - 1", self.step)
        if self.metric not in METRICS:
            raise wrong_value("metric", f"one of {', '.join(METRICS)}", self.metric)


COLUMNS = [field.name for field in fields(HistoryRow)]


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """All rows of a file, in the order in which they were written."""

    rows: tuple[HistoryRow, ...]

    ARTIFACT: ClassVar[str] = "history"
    NAME: ClassVar[str] = HISTORY_NAME

    @classmethod
    def from_csv(cls, content: bytes, path: Path) -> Self:
        """All rows of a text; a last line without its end was cut by a kill, and is left out.

        Args:
            content: All of the file.
            path: Where it is, for the error.

        Raises:
            SideFileError: In one line that names the file, the line, the column and what to do.
        """
        try:
            lines = _whole_lines(decoded(content))
        except UnreadableError as error:
            raise SideFileError(f"{path}: {error}; {ANEW}") from error
        rows = []
        for number, line in enumerate(lines, start=1):
            try:
                if number == 1:
                    _check_columns(line)
                else:
                    rows.append(_row(line))
            except InputError as error:
                _refuse(path, f"line {number}: {error}", error)
        return cls(tuple(rows))

    def courses(self, metric: str) -> dict[str, list[tuple[int, float]]]:
        """The course of one metric for each tensor.

        Args:
            metric: One of :data:`METRICS`.

        Returns:
            ``layer.slot`` → pairs of step and value, in the order of the rows.

        Example:
            >>> HistoryFile((HistoryRow(5, "fc", "act", "scale", 0.5),)).courses("scale")
            {'fc.act': [(5, 0.5)]}
        """
        points: dict[str, list[tuple[int, float]]] = {}
        for row in self.rows:
            if row.metric == metric:
                points.setdefault(f"{row.layer}.{row.slot}", []).append((row.step, row.value))
        return points

    def mean_of_last(self, metric: str, steps: int, sizes: Mapping[str, int]) -> float | None:
        """Mean of a metric over all values of all layers in the last steps; None without a row.

        Args:
            metric: One of :data:`METRICS`.
            steps: Number of optimizer steps at the end of the training, such as those of an epoch.
            sizes: Layer → number of its values, by which its rows count.

        Example:
            >>> values = [(10, "conv", 0.1), (10, "fc", 0.5), (9, "fc", 0.7)]
            >>> rows = (HistoryRow(step, name, "weight", "flips", v) for step, name, v in values)
            >>> HistoryFile(tuple(rows)).mean_of_last("flips", 1, {"conv": 30, "fc": 10})
            0.2
        """
        last = max((row.step for row in self.rows), default=0)
        rows = [row for row in self.rows if row.metric == metric and row.step > last - steps]
        total = sum(sizes[row.layer] for row in rows)
        return sum(sizes[row.layer] * row.value for row in rows) / total if rows else None


class HistoryWriter:
    """Adds rows to a file while a network trains.

    Args:
        path: The file; it begins with the first row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, rows: Iterable[tuple[int, str, str, str, float]]) -> None:
        """Add rows; a new file gets its header.

        Args:
            rows: Values in the order of :data:`COLUMNS`.

        Raises:
            InputError: If a row is none that :class:`HistoryRow` allows.
        """
        checked = [HistoryRow(*values) for values in rows]
        is_new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if is_new:
                writer.writerow(COLUMNS)
            writer.writerows(
                (row.step, csv_text(row.layer), row.slot, row.metric, row.value) for row in checked
            )

    def forget_after(self, step: int) -> None:
        """Remove the rows after a step, and lines that are no rows; a resumed training goes on so.

        Args:
            step: The last step that is kept.

        Raises:
            UnreadableError: If the file is no text.
            SideFileError: If it cannot be read.
        """
        if not self.path.exists():
            return
        lines = _whole_lines(decoded(read_content(self.path)))[1:]
        kept = [row for row in map(_row_or_none, lines) if row is not None and row.step <= step]
        self.path.unlink(missing_ok=True)
        if kept:
            self.append((r.step, r.layer, r.slot, r.metric, r.value) for r in kept)


def read_history(folder: Path, record: RunRecord) -> HistoryFile:
    """The run's ``history.csv``; without rows if there is none.

    Args:
        folder: The run's.
        record: Of that run.

    Raises:
        SideFileError: If the file is gone, is not the run's, cannot be read, or does not fit.
    """
    file = side_file(folder, record, HistoryFile.ARTIFACT, HistoryFile.NAME)
    return HistoryFile(()) if file is None else HistoryFile.from_csv(file.content, file.path)


def _whole_lines(text: str) -> list[str]:
    return text[: text.rfind("\n") + 1].splitlines()


def _check_columns(line: str) -> None:
    if line.split(",") != COLUMNS:
        raise wrong_value("columns", ",".join(COLUMNS), line)


def _row(line: str) -> HistoryRow:
    try:
        cells = next(csv.reader([line]), [])
    except csv.Error as error:
        raise InputError(f"no CSV: {error}") from error
    if len(cells) != len(COLUMNS):
        raise wrong_value("it", f"{len(COLUMNS)} cells", line)
    step, layer, slot, metric, value = cells
    return HistoryRow(
        _number("step", int, step), own_text(layer), slot, metric, _number("value", float, value)
    )


def _row_or_none(line: str) -> HistoryRow | None:
    try:
        return _row(line)
    except InputError:
        return None


def _number(column: str, kind: type[Number], cell: str) -> Number:
    try:
        return kind(cell)
    except ValueError as error:
        words = "an integer" if kind is int else "a number"
        raise wrong_value(column, words, cell) from error


def _refuse(path: Path, reason: str, error: InputError) -> NoReturn:
    words = plain_line(reason, LONGEST_REASON)
    raise SideFileError(f"{path} is not what a run writes: {words}; {ANEW}") from error
