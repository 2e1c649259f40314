"""Accuracy against a cost, with the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.records.metrics import METRICS, MetricFormat
from qat.records.pareto import non_dominated
from qat.tracking.figures.interesting import show_accuracies
from qat.tracking.figures.labels import name_points
from qat.tracking.figures.style import GREY, below, look_of, new_figure, plain_numbers

MAX_LABELS = 14


@dataclass(frozen=True, slots=True)
class CostPoint:
    """One setting.

    Attributes:
        label: Written beside the point if it is on the front.
        series: Points of one series share colour and marker.
        cost: In the metric's stored unit.
        accuracy: Mean over seeds, a fraction.
        std: Standard deviation over seeds, a fraction; None for a single seed.

    Example:
        >>> CostPoint("w4a4 qat", "lsq", cost=70_000, accuracy=0.91, std=0.002).series
        'lsq'
    """

    label: str
    series: str
    cost: float
    accuracy: float
    std: float | None = None


def pareto_figure(points: Sequence[CostPoint], cost: str, title: str = "") -> Figure:
    """Accuracy in percent against a cost; error bars are standard deviations over seeds.

    Args:
        points: At least one.
        cost: Name of the metric, such as ``packed_bytes``, ``bops``, ``latency_ms``.
        title: Of the figure.

    Raises:
        ValueError: If there is no point.

    Example:
        >>> points = [CostPoint("w8a8", "lsq", 280_000, 0.92)]
        >>> points.append(CostPoint("w4a4", "lsq", 140_000, 0.91))
        >>> pareto_figure(points, "packed_bytes").axes[0].get_ylabel()
        'top-1 [%]'
    """
    if not points:
        raise InputError("no point to draw: no run has both an accuracy and this cost")
    metric = METRICS.get(cost, MetricFormat(cost))
    figure, axes = new_figure(width=7.0, height=5.2)
    for index, name in enumerate(dict.fromkeys(point.series for point in points)):
        own = [point for point in points if point.series == name]
        axes.errorbar(
            [point.cost * metric.factor for point in own],
            [100 * point.accuracy for point in own],
            yerr=[100 * (point.std or 0.0) for point in own],
            linestyle="none",
            capsize=2,
            label=name,
            **look_of(index),
        )
    front = _front(points)
    axes.plot(
        [point.cost * metric.factor for point in front],
        [100 * point.accuracy for point in front],
        color=GREY,
        linewidth=1,
        linestyle="--",
        zorder=0,
        label="Pareto front",
    )
    costs = [point.cost for point in points]
    if min(costs) > 0 and max(costs) / min(costs) > 10:
        axes.set_xscale("log")
        plain_numbers(axes)
    axes.set_xlabel(f"{metric.label} [{metric.unit}]" if metric.unit else metric.label)
    axes.set_ylabel("top-1 [%]")
    axes.set_title(title)
    axes.margins(0.12)
    show_accuracies(
        axes,
        [(p.cost * metric.factor, (100 * p.accuracy, 100 * (p.std or 0.0))) for p in points],
    )
    below(figure, axes)
    _name_front(axes, points, metric)
    return figure


def _front(points: Sequence[CostPoint]) -> list[CostPoint]:
    values = [(point.accuracy, point.cost) for point in points]
    front = [points[i] for i in non_dominated(values, maximize=[True, False])]
    return sorted(front, key=lambda point: point.cost)


def _name_front(axes: Axes, points: Sequence[CostPoint], metric: MetricFormat) -> None:
    low = axes.get_ylim()[0]  # a point below has its value at the edge
    front = [point for point in _front(points) if 100 * point.accuracy >= low][:MAX_LABELS]
    name_points(
        axes,
        [point.label for point in front],
        [(point.cost * metric.factor, 100 * point.accuracy) for point in front],
        [(point.cost * metric.factor, 100 * point.accuracy) for point in points],
    )
