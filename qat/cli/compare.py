"""``qat compare A B``: in what two runs differ, what came of it, layer by layer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.base.printing import complain_line, print_line
from qat.records.folder import RunFolder
from qat.records.metrics import METRICS, MetricFormat
from qat.records.names import run_names
from qat.records.run_facts import run_facts, stored_bits
from qat.records.schema import RunRecord
from qat.records.side_files.layers import read_layers
from qat.records.side_files.verified import SideFileError
from qat.records.store import seen_record
from qat.report.console import console
from qat.tables.numbers import MISSING, number_text
from qat.tables.protocol import leaves

Triple = tuple[str, str, str]
SIDES = ("A", "B")
"""What the runs are called in the tables: their names are too long for a column."""


def compare_command(first: Path, second: Path) -> int:
    """Print settings that differ, metrics with their difference, and the layers.

    Raises:
        RequestError: If one of the folders holds no record.
    """
    records = [_record(folder) for folder in (first, second)]
    names = run_names(records)
    for letter, record in zip(SIDES, records, strict=True):
        print_line(f"{letter}: {names[record.id]} {record.id}")
    for title, rows in (
        ("settings that differ", list(setting_rows(*records))),
        ("metrics", list(metric_rows(*records))),
        ("layers: bits W/A, SQNR of the output", list(layer_rows(first, second, *records))),
    ):
        _print(title, rows)
    return DONE


def setting_rows(a: RunRecord, b: RunRecord) -> Iterator[Triple]:
    """``(setting, of a, of b)`` wherever mode, seed, protocol, plan or environment differ."""
    left, right = _settings(a), _settings(b)
    for name in dict.fromkeys([*left, *right]):
        if left.get(name) != right.get(name):
            yield name, left.get(name, MISSING), right.get(name, MISSING)


def metric_rows(a: RunRecord, b: RunRecord) -> Iterator[tuple[str, str, str, str]]:
    """``(metric, of a, of b, b minus a)`` of every metric that one of them has."""
    for name in dict.fromkeys([*METRICS, *a.metrics, *b.metrics]):
        one, other = a.metrics.get(name), b.metrics.get(name)
        if one is None and other is None:
            continue
        metric = METRICS.get(name, MetricFormat(name, decimals=4))
        unit = f" [{metric.unit}]" if metric.unit else ""
        texts = [MISSING if v is None else number_text(v, metric) for v in (one, other)]
        known = None if one is None or other is None else other - one
        change = "" if known is None else number_text(known, metric)
        yield name + unit, texts[0], texts[1], change


def layer_rows(first: Path, second: Path, a: RunRecord, b: RunRecord) -> Iterator[Triple]:
    """``(layer, of a, of b)``: widths by the plan and, where it was noted, the output's SQNR."""
    left, right = (_layers(folder, record) for folder, record in ((first, a), (second, b)))
    for name in dict.fromkeys([*left, *right]):
        yield name, left.get(name, MISSING), right.get(name, MISSING)


def _record(folder: Path) -> RunRecord:
    if RunFolder(folder).state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    return seen_record(folder)


def _settings(record: RunRecord) -> dict[str, str]:
    environment = {
        f"environment.{key}": str(value)
        for key, value in record.environment.items()
        if key in ("commit", "cpu", "cores", "threads", "python") or key.startswith("gpu")
    }
    facts = run_facts(record)
    slots = {
        f"{slot} {key.removesuffix('_text')}": str(getattr(getattr(facts, slot), key))
        for slot in ("weight", "act")
        for key in ("bits_text", "symmetric", "granularity", "quantizer", "observer")
    }
    request = {"status": record.status, "mode": record.mode, "seed": str(record.seed)}
    return request | slots | dict(leaves(record)) | environment


def _layers(folder: Path, record: RunRecord) -> dict[str, str]:
    try:
        sqnr = read_layers(folder, record).output_decibels
    except SideFileError as error:
        complain_line(f"skipped: {error}")
        sqnr = {}
    layers = (record.plan or {}).get("layers", {})
    rows = {}
    for name, specs in layers.items():
        words = f"{stored_bits(specs['weight'])}/{stored_bits(specs['act'])}"
        rows[name] = words + (f", {sqnr[name]:.1f} dB" if name in sqnr else "")
    return rows


def _print(title: str, rows: list[Any]) -> None:
    out = console()
    if not rows:
        out.print(f"{title}: none", style="dim")
        return
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True, overflow="fold")
    numbers = len(rows[0]) > len(SIDES) + 1
    for letter in SIDES:
        table.add_column(letter, overflow="fold", justify="right" if numbers else "left")
    if numbers:
        table.add_column("B - A", justify="right")
    for row in rows:
        table.add_row(*row)
    out.print(table)
