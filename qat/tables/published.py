"""Published numbers to stand beside measured ones: a CSV with source and tag.

Columns: names of settings (``model``, ``data``, ``method``, ``mode``, ``weight_bits``, ...), then
``metric``, ``value`` (in the unit tables show: percent for accuracies), ``source`` (paper and
table) and ``tag`` (what was done differently, in a word: ``own recipe``, ``first/last 8``).
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qat.records.metrics import METRICS
from qat.tables.columns import SETTINGS
from qat.tables.errors import TableError

OWN = ("metric", "value", "source", "tag")


@dataclass(frozen=True, slots=True)
class Published:
    """One published number.

    Attributes:
        settings: Setting → value, those that the file names.
        metric: Name of a metric.
        value: In the metric's stored unit (a fraction for an accuracy).
        source: Where it stands.
        tag: What was done differently, in a word.
    """

    settings: Mapping[str, str]
    metric: str
    value: float
    source: str
    tag: str

    @property
    def note(self) -> str:
        """The footnote: where it stands, and that it was not made as the measured rows were."""
        return f"published: {self.source}; made by a recipe of its own, never bold"

    @property
    def words(self) -> str:
        """``published``, with its tag if it has one."""
        return f"published ({self.tag})" if self.tag else "published"


def read_published(path: Path) -> list[Published]:
    """All numbers of a file.

    Raises:
        TableError: Naming file, line and what is wrong: missing, unknown, no number, or said twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets write a BOM
            reader = csv.DictReader(file)
            _check_header(path, reader.fieldnames or ())
            found: dict[str, Published] = {}
            for row in reader:
                one = _published(path, reader.line_num, row)
                key = repr((sorted(one.settings.items()), one.metric, one.source, one.tag))
                if key in found:
                    raise TableError(
                        f"{path}, line {reader.line_num}: {one.metric} of these settings, source "
                        f"and tag is said before; drop the line or tell them apart by tag"
                    )
                found[key] = one
            return list(found.values())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} cannot be read: {error}") from error


def _check_header(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in OWN if name not in names]
    unknown = [name for name in names if name not in OWN and name not in SETTINGS]
    if missing or unknown:
        words = f"lacks {', '.join(missing)}" if missing else f"has no use for {', '.join(unknown)}"
        raise TableError(
            f"{path}, line 1: the header {words}; columns are settings ({', '.join(SETTINGS)}), "
            f"then {', '.join(OWN)}"
        )


def _published(path: Path, line: int, row: Mapping[str, str | None]) -> Published:
    if None in row or None in row.values():
        raise TableError(f"{path}, line {line}: it has not as many cells as the header")
    cells = {name: (text or "").strip() for name, text in row.items()}
    metric = METRICS.get(cells["metric"])
    if metric is None:
        raise TableError(
            f"{path}, line {line}: no metric {cells['metric']!r}; see qat list metrics"
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
    settings = {name: text for name, text in cells.items() if name not in OWN and text}
    return Published(
        settings, cells["metric"], value / metric.factor, cells["source"], cells["tag"]
    )
