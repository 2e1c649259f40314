"""Memory of weights as bars, accuracy as a line over them: one bar a strategy."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.style import BLUE, ORANGE, new_figure

KIB = 1024


@dataclass(frozen=True, slots=True)
class StrategyBar:
    """One strategy.

    Attributes:
        label: Its name.
        weight_bytes: Of all weights.
        accuracy: Mean, a fraction.
        std: Over seeds; None without.
    """

    label: str
    weight_bytes: float
    accuracy: float
    std: float | None = None


def strategies_figure(bars: Sequence[StrategyBar], title: str = "") -> Figure:
    """Bars of weight memory in KiB with their values, and top-1 in percent over them.

    Raises:
        ValueError: If there is no strategy.
    """
    if not bars:
        raise InputError("no strategy to draw: give at least one")
    figure, axes = new_figure(width=max(6.4, 2.0 + 0.6 * len(bars)), height=5.2)
    places = range(len(bars))
    drawn = axes.bar(places, [bar.weight_bytes / KIB for bar in bars], color=BLUE)
    axes.bar_label(drawn, fmt="%.0f", fontsize="small", label_type="center")
    axes.set_ylabel("weights [KiB]", color=BLUE)
    axes.set_xticks(places, [bar.label for bar in bars], rotation=60, ha="right")
    axes.margins(y=0.15)
    accuracy = axes.twinx()
    accuracy.spines["top"].set_visible(False)
    accuracy.errorbar(
        places,
        [100 * bar.accuracy for bar in bars],
        yerr=[100 * (bar.std or 0.0) for bar in bars],
        color=ORANGE,
        marker="o",
        capsize=2,
    )
    accuracy.set_ylabel("top-1 [%]", color=ORANGE)
    axes.set_title(title)
    return figure
