"""The figures that the records of a study can carry, written beside its table."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from qat.analysis.history import HISTORY_NAME, METRICS, HistoryRow, courses, history_rows
from qat.base.reading import UnreadableError, decoded
from qat.records.facts import FLOAT_BITS, run_facts
from qat.records.layers import output_decibels
from qat.records.schema import RunRecord
from qat.records.side_files import SideFileError, side_file
from qat.tables.collect import group_records, sort_groups
from qat.tables.points import Point, points_of
from qat.tracking.figures.bits import Reading, bits_figure
from qat.tracking.figures.history import history_figure
from qat.tracking.figures.layers import layer_lines_figure
from qat.tracking.figures.pareto import CostPoint, pareto_figure
from qat.tracking.figures.strategies import StrategyBar, strategies_figure
from qat.tracking.figures.style import Figure, save_figures

MAX_COURSES = 8
COSTS = {"packed_bytes": "size", "bops": "bops", "latency_ms": "latency"}


def write_study_figures(
    records: Sequence[RunRecord], runs: Mapping[str, Path], folder: Path
) -> list[Path]:
    """Write every figure that the records can carry, as PNG and SVG.

    Args:
        records: Of the study.
        runs: Id → run folder, for what a run noted of its layers and its training.
        folder: Where to.
    """
    figures = study_figures(records)
    if decibels := layer_courses(records, runs):
        figures["layer_sqnr"] = layer_lines_figure(decibels)
    figures |= _of_training(records, runs)
    return save_figures(figures, folder)


def layer_courses(
    records: Iterable[RunRecord], runs: Mapping[str, Path]
) -> dict[str, dict[str, float]]:
    """Setting → layer → SQNR of the output in dB, of the first seed of up to eight settings."""
    found: dict[str, dict[str, float]] = {}
    for group in sort_groups(group_records([r for r in records if r.status == "done"])):
        first = group.records[0]
        course = _decibels(runs[first.id], first) if first.id in runs else {}
        if course and len(found) < MAX_COURSES:
            found[f"{group.facts.label} {group.facts.mode}"] = course
    return found


def _decibels(folder: Path, record: RunRecord) -> dict[str, float]:
    try:
        return output_decibels(folder, record)
    except SideFileError as error:
        print(f"qat: skipped: {error}", file=sys.stderr)
        return {}


def _history(folder: Path, record: RunRecord) -> list[HistoryRow]:
    """The run's own history; nothing if it has none, or another stands in its place."""
    try:
        file = side_file(folder, record, "history", HISTORY_NAME)
        return [] if file is None else history_rows(decoded(file.content))
    except (SideFileError, UnreadableError) as error:
        print(f"qat: skipped: {error}", file=sys.stderr)
        return []


def history_figures(rows: Sequence[HistoryRow], title: str = "") -> dict[str, Figure]:
    """A figure for each metric that was noted over a training."""
    found = {metric: courses(rows, metric) for metric in METRICS}
    return {f"history_{m}": history_figure(c, m, title) for m, c in found.items() if c}


def _of_training(records: Iterable[RunRecord], runs: Mapping[str, Path]) -> dict[str, Figure]:
    """The histories of the narrowest trained setting: there steps and codes move most."""
    trained = [record for record in records if record.status == "done" and record.mode == "qat"]
    for group in reversed(sort_groups(group_records(trained))):
        first = group.records[0]
        if first.id in runs and (rows := _history(runs[first.id], first)):
            return history_figures(rows, run_facts(first).run_name)
    return {}


def study_figures(records: Iterable[RunRecord]) -> dict[str, Figure]:
    """Accuracy against each cost, and by bits, for each network among the records."""
    points = [point for point in points_of(records) if "top1" in point.metrics]
    networks = list(dict.fromkeys(point.network for point in points))
    found: dict[str, Figure] = {}
    for number, network in enumerate(networks):
        suffix = "" if len(networks) == 1 else f"_{number + 1}"
        own = [point for point in points if point.network == network]
        for cost, word in COSTS.items():
            if costed := cost_points(own, cost):
                found[f"accuracy_{word}{suffix}"] = pareto_figure(costed, cost, network)
        if len({_width(point)[0] for point in own if not (point.is_float or point.is_mixed)}) > 1:
            found[f"accuracy_bits{suffix}"] = _bits(own, network)
        if any(point.is_mixed for point in own):
            found[f"strategies{suffix}"] = strategies_figure(strategy_bars(own), network)
    return found


def cost_points(points: Sequence[Point], cost: str) -> list[CostPoint]:
    """The points that have this cost."""
    return [
        CostPoint(
            label=point.label,
            series=point.series,
            cost=point.metrics[cost].mean,
            accuracy=point.metrics["top1"].mean,
            std=point.metrics["top1"].std,
        )
        for point in points
        if cost in point.metrics
    ]


def strategy_bars(points: Sequence[Point]) -> list[StrategyBar]:
    """Weight memory and accuracy of each setting, widest first."""
    bars = [
        StrategyBar(point.label, point.metrics["weight_bytes"].mean, top1.mean, top1.std)
        for point in points
        if "weight_bytes" in point.metrics and (top1 := point.metrics["top1"])
    ]
    return sorted(bars, key=lambda bar: -bar.weight_bytes)


def _bits(points: Sequence[Point], title: str) -> Figure:
    series: dict[str, list[Reading]] = {}
    for point in points:
        if point.is_float or point.is_mixed:
            continue
        top1 = point.metrics["top1"]
        bits, other = _width(point)
        name = f"{point.series}{other}"
        series.setdefault(name, []).append((bits, top1.mean, top1.std))
    plain = next((point.metrics["top1"].mean for point in points if point.is_float), None)
    return bits_figure(series, plain, title, axis="bits")


def _width(point: Point) -> tuple[int, str]:
    """Bits of the weights, or of the inputs where weights are float; and of the other slot."""
    if point.weight_bits == point.act_bits:
        return point.weight_bits, ""
    if point.weight_bits == FLOAT_BITS:
        return point.act_bits, ", of inputs alone"
    if point.act_bits == FLOAT_BITS:
        return point.weight_bits, ", of weights alone"
    return point.weight_bits, f", A{point.act_bits}"
