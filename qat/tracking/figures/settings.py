"""Accuracy of settings that have no natural order: one line with one point for each setting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.interesting import axis_range
from qat.tracking.figures.style import BLUE, GREY, ORANGE, new_figure

KIB = 1024


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting.

    Attributes:
        label: Name of the setting.
        accuracy: Mean over seeds, a fraction.
        std: Standard deviation over seeds, a fraction; None for a single seed.
        group: Settings are compared within a group, such as a budget.
        weight_bytes: Of all weights, written at the end of the line; None writes nothing.

    Example:
        >>> SettingRow("per channel", 0.91, std=0.002).accuracy
        0.91
    """

    label: str
    accuracy: float
    std: float | None = None
    group: str = ""
    weight_bytes: float | None = None


def settings_figure(
    rows: Sequence[SettingRow], float_top1: float | None = None, title: str = ""
) -> Figure:
    """Top-1 in percent as points, sorted within each group, best on top.

    The axis covers most points; a point far below is drawn at its edge with its value.

    Args:
        rows: At least one; groups are in the order of their first row.
        float_top1: Accuracy of the float network, a fraction, as a dashed line; None for no line.
        title: Of the figure.

    Raises:
        ValueError: If there is no row.

    Example:
        >>> rows = [SettingRow("per tensor", 0.88), SettingRow("per channel", 0.91)]
        >>> figure = settings_figure(rows, float_top1=0.92)
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['per channel', 'per tensor']
    """
    if not rows:
        raise InputError("no setting to draw: give at least one")
    order = list(dict.fromkeys(row.group for row in rows))
    ordered = sorted(rows, key=lambda row: (order.index(row.group), -row.accuracy))
    figure, axes = new_figure(width=7.0, height=1.2 + 0.24 * (len(rows) + len(order)))
    low, high = axis_range(
        [(100 * row.accuracy, 100 * (row.std or 0.0)) for row in rows], float_top1
    )
    place, ticks, words = 0.0, [], []
    for group, members in groupby(ordered, key=lambda row: row.group):
        if group:
            axes.annotate(
                group,
                (0, place),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                fontsize="small",
                fontweight="bold",
                va="center",
            )
            place += 1
        for row in members:
            _draw(axes, row, place, low)
            ticks.append(place)
            words.append(row.label)
            place += 1
    if float_top1 is not None:
        axes.axvline(100 * float_top1, color=GREY, linestyle="--", linewidth=1, zorder=0)
        axes.set_xlabel("top-1 [%], dashed: float")
    else:
        axes.set_xlabel("top-1 [%]")
    axes.set_yticks(ticks, words, fontsize="small")
    axes.set_ylim(place - 0.4, -0.8)
    axes.set_xlim(low, high)
    axes.grid(axis="y", linewidth=0.3)
    axes.set_title(title, loc="right")  # over the names too, if it is long
    return figure


def _draw(axes: Axes, row: SettingRow, place: float, low: float) -> None:
    value = 100 * row.accuracy
    if value < low:
        axes.plot([low], [place], marker="<", color=ORANGE, clip_on=False)
        _beside(axes, f"{value:.1f}", low, place)
    else:
        error = [100 * (row.std or 0.0)]
        axes.errorbar([value], [place], xerr=error, marker="o", color=BLUE, capsize=2)
    if row.weight_bytes is not None:
        axes.annotate(
            f"{row.weight_bytes / KIB:.0f} KiB",
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            fontsize="small",
            va="center",
            annotation_clip=False,
        )


def _beside(axes: Axes, words: str, x: float, y: float) -> None:
    axes.annotate(
        words, (x, y), xytext=(8, 0), textcoords="offset points", fontsize="small", va="center"
    )
