"""Accuracy of many methods by bits: one line for each method, one mark for each bit width."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.bits import Reading
from qat.tracking.figures.interesting import axis_range
from qat.tracking.figures.style import GREY, below, look_of, new_figure

BESIDE = 0.16
"""Distance of the marks of two widths, as a share of the distance of two methods."""


def bits_rows_figure(
    series: Mapping[str, Sequence[Reading]], float_top1: float | None = None, title: str = ""
) -> Figure:
    """Top-1 in percent, for more methods than lines over the width can show apart.

    The methods are sorted by their accuracy at the smallest width, best on top. Error bars are
    standard deviations over seeds. The axis covers most marks; one far below is drawn at its edge
    with its value.

    Args:
        series: Method → readings.
        float_top1: Accuracy of the float network, a fraction, as a dashed line; None for no line.
        title: Of the figure.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> series = {"minmax": [(4, 0.87, None), (2, 0.82, None)], "lsq": [(2, 0.87, 0.01)]}
        >>> figure = bits_rows_figure(series, float_top1=0.88)
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['lsq', 'minmax']
    """
    if not any(series.values()):
        raise InputError("no reading to draw: no run is quantized")
    with_readings = [name for name, readings in series.items() if readings]
    names = sorted(
        with_readings, key=lambda name: [(bits, -top1) for bits, top1, _ in sorted(series[name])]
    )
    widths = sorted({bits for readings in series.values() for bits, _, _ in readings})
    figure, axes = new_figure(width=7.0, height=1.6 + 0.3 * len(names))
    accuracies = [(100 * top1, 100 * (std or 0.0)) for r in series.values() for _, top1, std in r]
    low, high = axis_range(accuracies, float_top1)
    for index, bits in enumerate(reversed(widths)):
        beside = BESIDE * (index - (len(widths) - 1) / 2)
        marks = [
            (place + beside, 100 * top1, 100 * (std or 0.0))
            for place, name in enumerate(names)
            for width, top1, std in series[name]
            if width == bits
        ]
        _draw(axes, marks, low, index, f"{bits:g} bit{'' if bits == 1 else 's'}")
    if float_top1 is not None:
        axes.axvline(100 * float_top1, color=GREY, linestyle="--", linewidth=1, label="float")
    axes.set_xlabel("top-1 [%]")
    axes.set_yticks(range(len(names)), names, fontsize="small")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(low, high)
    axes.grid(axis="y", linewidth=0.3)
    axes.set_title(title, loc="right")  # over the names too, if it is long
    below(figure, axes)
    return figure


def _draw(
    axes: Axes, marks: Sequence[tuple[float, float, float]], low: float, index: int, label: str
) -> None:
    """The marks of one width: place, accuracy and deviation in percent."""
    look = look_of(index)
    inside = [mark for mark in marks if mark[1] >= low]
    axes.errorbar(
        [top1 for _, top1, _ in inside],
        [place for place, _, _ in inside],
        xerr=[std for _, _, std in inside],
        capsize=2,
        linestyle="none",
        label=label,
        **look,
    )
    for place, top1, _ in marks:
        if top1 < low:
            axes.plot([low], [place], marker="<", color=look["color"], clip_on=False)
            axes.annotate(
                f"{top1:.1f}",
                (low, place),
                xytext=(8, 0),
                textcoords="offset points",
                fontsize=7,
                va="center",
            )
