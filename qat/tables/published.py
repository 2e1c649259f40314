"""Published numbers beside measured ones, from a CSV file with sources.

Columns: names of settings (``model``, ``data``, ``method``, ``mode``, ``weight_bits``, ...), then
if known the conditions (``float_top1`` in percent, ``epochs``, ``first_last``), then
``metric``, ``value`` (in the unit of the tables: percent for accuracies), ``source`` (paper and
table) and ``tag`` (the difference to our runs, in short: ``own recipe``, ``first/last 8``).
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qat.records.metrics import METRICS
from qat.tables.columns import SETTINGS
from qat.tables.errors import TableError

OWN = ("metric", "value", "source", "tag")
CONDITIONS = ("float_top1", "epochs", "first_last")


@dataclass(frozen=True, slots=True)
class Published:
    """One published number.

    Attributes:
        settings: Setting → value, for the settings that the file contains.
        metric: Name of the metric.
        value: In the unit of the records (a fraction for an accuracy).
        source: Paper and table.
        tag: The difference to our runs, in short.
        conditions: Of :data:`CONDITIONS`, those that are known; ``float_top1`` is a fraction.
    """

    settings: Mapping[str, str]
    metric: str
    value: float
    source: str
    tag: str
    conditions: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """The footnote: the source, and that training differs from that of the measured rows."""
        return f"published: {self.source}; trained with another recipe, never bold"

    @property
    def words(self) -> str:
        """``published``, followed by the tag if there is one."""
        return f"published ({self.tag})" if self.tag else "published"


def read_published(path: Path) -> list[Published]:
    """All numbers of a file.

    Raises:
        TableError: If the file cannot be read, a column is missing or unknown, or a line has a
            wrong value or repeats another one; the message names file and line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets write a BOM
            reader = csv.DictReader(file)
            _check_header(path, reader.fieldnames or ())
            numbers: dict[str, Published] = {}
            for row in reader:
                one = _published(path, reader.line_num, row)
                key = repr((sorted(one.settings.items()), one.metric, one.source, one.tag))
                if key in numbers:
                    raise TableError(
                        f"{path}, line {reader.line_num}: an earlier line has {one.metric} with "
                        "the same settings, source and tag; remove one line or change its tag"
                    )
                numbers[key] = one
            return list(numbers.values())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} cannot be read: {error}") from error


def _check_header(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in OWN if name not in names]
    unknown = [name for name in names if name not in (*OWN, *CONDITIONS, *SETTINGS)]
    if missing or unknown:
        fault = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(unknown)}"
        raise TableError(
            f"{path}, line 1: the header {fault}; allowed are settings ({', '.join(SETTINGS)}), "
            f"then {', '.join(CONDITIONS)}, then {', '.join(OWN)}"
        )


def _published(path: Path, line: int, row: Mapping[str, str | None]) -> Published:
    if None in row or None in row.values():
        raise TableError(f"{path}, line {line}: the number of cells differs from the header")
    cells = {name: (text or "").strip() for name, text in row.items()}
    metric = METRICS.get(cells["metric"])
    if metric is None:
        raise TableError(
            f"{path}, line {line}: unknown metric {cells['metric']!r}; see qat list metrics"
        )
    try:
        value = float(cells["value"])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TableError(
            f"{path}, line {line}: value must be a finite number, got {cells['value']!r}"
        )
    if not cells["source"]:
        raise TableError(f"{path}, line {line}: source is empty; name paper and table")
    settings = {name: text for name, text in cells.items() if name in SETTINGS and text}
    return Published(
        settings,
        cells["metric"],
        value / metric.factor,
        cells["source"],
        cells["tag"],
        _conditions(path, line, cells),
    )


def _conditions(path: Path, line: int, cells: Mapping[str, str]) -> dict[str, str | float]:
    conditions: dict[str, str | float] = {n: cells[n] for n in CONDITIONS if cells.get(n)}
    if "float_top1" in conditions:
        try:
            conditions["float_top1"] = float(conditions["float_top1"]) / METRICS["top1"].factor
        except ValueError as error:
            raise TableError(f"{path}, line {line}: float_top1 must be a number") from error
    return conditions
