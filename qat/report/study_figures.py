"""The figures of a study, which are written beside its table, as far as the records allow."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from qat.base.printing import complain_line
from qat.records.run_facts import FLOAT_BITS, run_facts
from qat.records.schema import RunRecord
from qat.records.side_files.history import METRICS, HistoryFile, read_history
from qat.records.side_files.layers import read_layers
from qat.records.side_files.verified import SideFileError
from qat.tables.collect import group_records, sort_groups
from qat.tables.points import FigurePoint, Measured, measured, points_of, shared_words
from qat.tables.shared import shared_text
from qat.tables.statistics import Statistic
from qat.tracking.figures.bits import Reading, bits_figure
from qat.tracking.figures.bits_rows import bits_rows_figure
from qat.tracking.figures.history import history_figure
from qat.tracking.figures.layers import layer_lines_figure
from qat.tracking.figures.pareto import CostPoint, pareto_figure
from qat.tracking.figures.settings import SettingRow, settings_figure
from qat.tracking.figures.style import Figure, save_figures

MAX_COURSES = 8
"""Largest number of settings in the figure by layer; of more, some at even distances are drawn."""
MAX_LINES = 8
"""Largest number of settings in the figure by bits that has a line for each."""
COSTS = {"packed_bytes": "size", "bops": "bops", "latency_ms": "latency"}
OF_FLOAT = {"packed_bytes": "float_bytes", "latency_ms": "float_latency_ms"}
"""Cost → metric that has the same cost for the float network."""
OTHER_UNIFORM = "one width in every layer"
SAME_SIZE = 0.02
"""Largest relative difference of two sizes that count as the same."""


def write_study_figures(
    records: Sequence[RunRecord], runs: Mapping[str, Path], folder: Path, study: str = ""
) -> list[Path]:
    """Write every figure for which the records have data, as PNG, SVG and PDF.

    Args:
        records: Records of the study.
        runs: Id → run folder, for the files about layers and training.
        folder: Folder to write to.
        study: Name of the study, for the titles.

    Returns:
        The files.
    """
    return save_figures(all_figures(records, runs, study), folder)


def all_figures(
    records: Sequence[RunRecord], runs: Mapping[str, Path], study: str = ""
) -> dict[str, Figure]:
    """Every figure for which the records have data.

    Args:
        records: Records of the study.
        runs: Id → run folder, for the files about layers and training.
        study: Name of the study, for the titles.

    Returns:
        Name → figure.
    """
    measurements = measured(records)
    figures = point_figures(measurements, study)
    if courses := layer_courses(records, runs):
        shown = _evenly(list(courses), MAX_COURSES)
        count = f"{len(shown)} of {len(courses)} settings" if len(shown) < len(courses) else ""
        title = _title(study, shared_text(shared_words(measurements)), count)
        decibels = {label: courses[label] for label in shown}
        figures["layer_sqnr"] = layer_lines_figure(decibels, layer_order(records), title)
    return figures | _of_training(records, runs)


def layer_courses(
    records: Iterable[RunRecord], runs: Mapping[str, Path]
) -> dict[str, dict[str, float]]:
    """Label of a setting → layer → SQNR of the output in dB, for the first seed of each setting.

    SQNR is the signal-to-quantization-noise ratio. A run that stored less than half of its layers
    is left out.

    Args:
        records: Records of the study.
        runs: Id → run folder.
    """
    done = [record for record in records if record.status == "done"]
    groups = sort_groups(group_records(done))
    points = points_of(measured(done))
    several = len({point.network for point in points}) > 1
    courses: dict[str, dict[str, float]] = {}
    for group, point in zip(groups, points, strict=True):
        first = group.records[0]
        course = _decibels(runs[first.id], first) if first.id in runs else {}
        planned = (first.plan or {}).get("layers", {})
        if 2 * len(course) > len(planned):
            courses[f"{point.network}: {point.label}" if several else point.label] = course
    return courses


def _evenly(labels: Sequence[str], count: int) -> list[str]:
    """At most ``count`` labels at even distances, the first and the last among them."""
    if len(labels) <= count:
        return list(labels)
    return [labels[round(i * (len(labels) - 1) / (count - 1))] for i in range(count)]


def layer_order(records: Iterable[RunRecord]) -> list[str]:
    """Layer names in the order of the network, from the plan with the most layers."""
    plans = [record.plan for record in records if record.plan]
    longest = max(plans, key=lambda plan: len(plan.get("layers", {})), default={})
    names = list(longest.get("layers", {}))
    first, last = (longest.get("ends") or ("", ""))[:2]
    front = [first] if first and first not in names else []
    return [*front, *names, *([last] if last and last not in names else [])]


def _decibels(folder: Path, record: RunRecord) -> dict[str, float]:
    try:
        return read_layers(folder, record).output_decibels
    except SideFileError as error:
        complain_line(f"skipped: {error}")
        return {}


def run_history(folder: Path, record: RunRecord) -> HistoryFile:
    """The history of quantizers over a run's training.

    Args:
        folder: Folder of the run.
        record: Its record.

    Returns:
        The history; without rows if the run has none, or its file is damaged or another one.
    """
    try:
        return read_history(folder, record)
    except SideFileError as error:
        complain_line(f"skipped: {error}")
        return HistoryFile(())


def history_figures(history: HistoryFile, title: str = "") -> dict[str, Figure]:
    """One figure for each metric of a training's history.

    Args:
        history: The rows.
        title: Title of the figures.

    Returns:
        Name → figure.
    """
    by_metric = {metric: history.courses(metric) for metric in METRICS}
    return {f"history_{m}": history_figure(c, m, title) for m, c in by_metric.items() if c}


def _of_training(records: Iterable[RunRecord], runs: Mapping[str, Path]) -> dict[str, Figure]:
    """The histories of the narrowest trained setting, where steps and codes change most."""
    trained = [record for record in records if record.status == "done" and record.mode == "qat"]
    for group in reversed(sort_groups(group_records(trained))):
        first = group.records[0]
        history = run_history(runs[first.id], first) if first.id in runs else HistoryFile(())
        if history.rows:
            return history_figures(history, run_facts(first).run_name)
    return {}


def study_figures(records: Iterable[RunRecord], study: str = "") -> dict[str, Figure]:
    """Accuracy against each cost, and by bits or setting, for each network in the records.

    Args:
        records: Records of the study.
        study: Name of the study, for the titles.

    Returns:
        Name → figure.
    """
    return point_figures(measured(records), study)


def point_figures(measurements: Sequence[Measured], study: str = "") -> dict[str, Figure]:
    """The figures of :func:`study_figures`, from measurements of records or of a file.

    Args:
        measurements: Settings and their metrics.
        study: Name of the study, for the titles.

    Returns:
        Name → figure.
    """
    points = [point for point in points_of(measurements) if "top1" in point.metrics]
    networks = list(dict.fromkeys(point.network for point in points))
    shared = shared_text(shared_words(measurements))
    figures: dict[str, Figure] = {}
    for number, network in enumerate(networks):
        suffix = "" if len(networks) == 1 else f"_{number + 1}"
        of_network = [point for point in points if point.network == network]
        title = _title(f"{study}: {network}" if study else network, shared)
        for cost, word in COSTS.items():
            if costed := cost_points(of_network, cost):
                figures[f"accuracy_{word}{suffix}"] = pareto_figure(costed, cost, title)
        figures |= {
            f"{name}{suffix}": drawn for name, drawn in _by_setting(of_network, title).items()
        }
    return figures


def _title(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def cost_points(points: Sequence[FigurePoint], cost: str) -> list[CostPoint]:
    """The points of a figure of accuracy against one cost.

    Args:
        points: Settings of one network.
        cost: Metric on the horizontal axis.

    Returns:
        The points that have this cost; the float network has its own. None at all if no quantized
        setting has it.
    """
    priced = [
        CostPoint(
            label=point.label + _budget_mark(point),
            series=point.series,
            cost=price.mean,
            accuracy=point.metrics["top1"].mean,
            std=point.metrics["top1"].std,
        )
        for point in points
        if (price := _price(point, points, cost)) is not None
    ]
    return priced if any(cost in point.metrics for point in points) else []


def _price(point: FigurePoint, points: Sequence[FigurePoint], cost: str) -> Statistic | None:
    if not point.is_float or cost in point.metrics:
        return point.metrics.get(cost)
    name = OF_FLOAT.get(cost, cost)
    prices = (other.metrics[name] for other in (point, *points) if name in other.metrics)
    return point.metrics.get(name) if name == "float_latency_ms" else next(prices, None)


def _by_setting(points: Sequence[FigurePoint], title: str) -> dict[str, Figure]:
    """Draw accuracy by bits; by setting if all widths are equal; by budget for mixed widths."""
    plain = next((point.metrics["top1"].mean for point in points if point.is_float), None)
    uniform = [point for point in points if not (point.is_float or point.is_mixed)]
    if any(point.is_mixed for point in points):
        return {"strategies": settings_figure(strategy_rows(points), plain, title)}
    series: dict[str, list[Reading]] = {}
    for point in uniform:
        top1 = point.metrics["top1"]
        bits, other = _width(point, [p for p in uniform if p.series == point.series])
        series.setdefault(f"{point.series}{other}", []).append((bits, top1.mean, top1.std))
    if any(len({bits for bits, _, _ in readings}) > 1 for readings in series.values()):
        if len(series) > MAX_LINES:
            return {"accuracy_bits": bits_rows_figure(series, plain, title)}
        return {"accuracy_bits": bits_figure(series, plain, title, axis="bits")}
    if len(uniform) < 2:
        return {}
    rows = [SettingRow(p.label, p.metrics["top1"].mean, p.metrics["top1"].std) for p in uniform]
    return {"accuracy_settings": settings_figure(rows, plain, title)}


def strategy_rows(points: Sequence[FigurePoint]) -> list[SettingRow]:
    """Rows of mixed widths by budget, the largest first, with uniform plans of the same size."""
    budgets: dict[str, float] = {}
    for point in points:
        if point.budget is not None and "weight_bytes" in point.metrics:
            weight_bytes = point.metrics["weight_bytes"].mean
            budgets[point.budget] = max(weight_bytes, budgets.get(point.budget, 0.0))
    ordered = sorted(budgets, key=lambda budget: -budgets[budget])
    groups = [_budget_words(budget) for budget in ordered] + [OTHER_UNIFORM]
    rows = []
    for point in points:
        if point.is_float:
            continue
        top1, weights = point.metrics["top1"], point.metrics.get("weight_bytes")
        size = None if weights is None else weights.mean
        if point.budget is not None:
            group = _budget_words(point.budget)
        else:
            near = [b for b in ordered if size and abs(size / budgets[b] - 1) < SAME_SIZE]
            group = _budget_words(near[0]) if near else OTHER_UNIFORM
        rows.append(SettingRow(point.label, top1.mean, top1.std, group, size))
    return sorted(rows, key=lambda row: groups.index(row.group))


def _budget_mark(point: FigurePoint) -> str:
    return f", {point.budget.rpartition(' ')[2]}" if point.budget else ""


def _budget_words(budget: str) -> str:
    name, _, limit = budget.rpartition(" ")
    if name == "uniform_bits":
        return f"at the cost of {limit} bits in every layer"
    return f"budget: {budget.replace('_', ' ')}"


def _width(point: FigurePoint, series: Sequence[FigurePoint]) -> tuple[int, str]:
    """The width that varies in a point's series, and text about that of the other slot."""
    weights, acts = ({getattr(p, f"{slot}_bits") for p in series} for slot in ("weight", "act"))
    if point.weight_bits == FLOAT_BITS or len(weights) == 1 < len(acts):
        other = "of inputs alone" if point.weight_bits == FLOAT_BITS else f"W{point.weight_bits}"
        return point.act_bits, f", {other}"
    if point.weight_bits == point.act_bits and not len(acts) == 1 < len(weights):
        return point.weight_bits, ""
    other = "of weights alone" if point.act_bits == FLOAT_BITS else f"A{point.act_bits}"
    return point.weight_bits, f", {other}"
