"""Measured times of layers at several widths, from the runs of a runtime or from a file."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qat.allocate.costs import Latency, latency_table
from qat.base.errors import InputError
from qat.base.reading import UnreadableError, read_json
from qat.config.schema import AllocateConfig
from qat.core.plan import Plan
from qat.records.side_files.latency import LatencyFile
from qat.records.side_files.typed_file import read_side_file
from qat.records.store import seen_record

NETWORK = "network"


def run_latency_table(config: AllocateConfig) -> Latency | None:
    """Read the latency table that ``allocate.latency_table`` or ``allocate.latency_runs`` name.

    If several runs have the same pair of widths, the median of their times counts.

    Returns:
        Layer → (weight bits, activation bits) → milliseconds; None if neither key is set.

    Raises:
        ValueError: If a file is no such table, or a run has no times of layers.
        RecordError: If a run has no readable record.
    """
    if config.latency_table is not None:
        return latency_table(_read(config.latency_table))
    if not config.latency_runs:
        return None
    measured: dict[tuple[str, int, int], list[float]] = {}
    for run in config.latency_runs:
        for layer, weight, act, ms in _of_run(Path(run)):
            measured.setdefault((layer, weight, act), []).append(ms)
    return latency_table(
        {"layer": layer, "weight_bits": w, "act_bits": a, "latency_ms": statistics.median(times)}
        for (layer, w, a), times in measured.items()
    )


def _of_run(folder: Path) -> Iterator[tuple[str, int, int, float]]:
    record = seen_record(folder)
    latency = read_side_file(folder, record, LatencyFile)
    times = {} if latency is None else latency.layers.get(NETWORK, {})
    if not times:
        raise InputError(f"allocate.latency_runs: {folder} has no times of layers; measure it")
    for name, layer in Plan.from_dict(record.plan or {}).layers.items():
        if name in times:
            yield name, layer.weight.stored_bits, layer.act.stored_bits, float(times[name])


def _read(path: str) -> list[dict[str, Any]]:
    try:
        rows = read_json(Path(path))
    except UnreadableError as error:
        raise InputError(f"allocate.latency_table={path} is not JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(
            f"allocate.latency_table={path} must be a JSON list of rows with layer, weight_bits, "
            "act_bits, latency_ms"
        )
    return rows
