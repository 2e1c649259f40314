"""Accuracy by bits, with one line for each method."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.interesting import show_accuracies
from qat.tracking.figures.style import GREY, below, look_of, new_figure

Reading = tuple[float, float, float | None]
"""Bits, accuracy (a fraction), standard deviation over seeds or None."""


def bits_figure(
    series: Mapping[str, Sequence[Reading]],
    float_top1: float | None = None,
    title: str = "",
    axis: str = "bits of weights and inputs",
) -> Figure:
    """Accuracy in percent by bit width; error bars are standard deviations over seeds.

    A line joins the points of a method, unless two points have the same width.

    Args:
        series: Method → readings.
        float_top1: Accuracy of the float network, a fraction, as a dashed line; None for no line.
        title: Of the figure.
        axis: Label of the horizontal axis.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> figure = bits_figure({"lsq": [(8, 0.92, None), (4, 0.91, 0.002)]}, float_top1=0.92)
        >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
        ['4', '8']
    """
    if not any(series.values()):
        raise InputError("no reading to draw: no run is quantized")
    figure, axes = new_figure()
    for index, (name, readings) in enumerate(series.items()):
        ordered = sorted(readings, key=lambda reading: reading[0])
        joined = len({bits for bits, _, _ in ordered}) == len(ordered)
        axes.errorbar(
            [bits for bits, _, _ in ordered],
            [100 * accuracy for _, accuracy, _ in ordered],
            yerr=[100 * (std or 0.0) for _, _, std in ordered],
            capsize=2,
            linestyle="-" if joined else "none",  # settings of one width have no order
            label=name,
            **look_of(index),
        )
    if float_top1 is not None:
        axes.axhline(100 * float_top1, color=GREY, linestyle="--", linewidth=1, label="float")
    widths = sorted({bits for readings in series.values() for bits, _, _ in readings})
    axes.set_xticks(widths, [f"{bits:g}" for bits in widths])
    axes.set_xlabel(axis)
    axes.set_ylabel("top-1 [%]")
    axes.set_title(title)
    drawn = [(b, (100 * a, 100 * (s or 0.0))) for r in series.values() for b, a, s in r]
    show_accuracies(axes, drawn, float_top1)
    below(figure, axes)
    return figure
