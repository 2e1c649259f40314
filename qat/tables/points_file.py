"""The numbers in a study's figures, as a file: ``points.csv``.

One line for each group of runs: its settings (empty if it has none), then mean, standard deviation
and number of seeds of each metric that the figures draw.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from qat.tables.errors import TableError
from qat.tables.points import OTHER, POINT_METRICS, POINT_SETTINGS, Measured
from qat.tables.statistics import Statistic

POINTS_NAME = "points.csv"
_PARTS = ("mean", "std", "n")
_ADDED = ("ptq", "calibration", "weight_granularity", OTHER)
"""Settings that older files lack; their columns are written only if a group has one."""


def points_csv(measurements: Sequence[Measured]) -> str:
    """The text of the file, with every digit."""
    measured = {name for measurement in measurements for name in measurement.metrics}
    metrics = [name for name in POINT_METRICS if name in measured]
    absent = [n for n in _ADDED if all(m.settings.get(n) is None for m in measurements)]
    names = [name for name in POINT_SETTINGS if name not in absent]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*names, *(f"{name}_{part}" for name in metrics for part in _PARTS)])
    for measurement in measurements:
        cells: list[object] = [measurement.settings[name] for name in names]
        for name in metrics:
            number = measurement.metrics.get(name)
            cells += [None, None, 0] if number is None else [number.mean, number.std, number.n]
        writer.writerow(cells)
    return file.getvalue()


def read_points(path: Path) -> list[Measured]:
    """The inverse of :func:`points_csv`.

    Raises:
        TableError: If the file cannot be read, or lacks a column or a number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            return [_measured(row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError) as error:
        raise TableError(
            f"{path} is no points.csv ({error!r}): write it again with qat table STUDY --into DIR"
        ) from error


def _measured(row: dict[str, str]) -> Measured:
    old = {name: None for name in _ADDED if name not in row}
    settings = old | {name: row[name] or None for name in POINT_SETTINGS if name not in old}
    metrics = {}
    for name in POINT_METRICS:
        count = int(row.get(f"{name}_n") or 0)
        if count:
            std = row[f"{name}_std"]
            mean = float(row[f"{name}_mean"])
            metrics[name] = Statistic(mean, float(std) if std else None, count)
    return Measured(settings, metrics)
