"""The accuracies that an axis shows, and marks for points far below."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes

from qat.tracking.figures.style import GREY

OUTLIER, ALWAYS = 3.0, 12.0
"""A point is outside the axis if its distance to the best point is more than ``OUTLIER`` times that
of the third quartile and more than ``ALWAYS`` percentage points."""

NEAR_PIXELS = 40


Accuracy = tuple[float, float | None]
"""Accuracy in percent, and the length of its error bar to either side in points, or None."""


def axis_range(
    accuracies: Sequence[Accuracy], float_top1: float | None = None
) -> tuple[float, float]:
    """Lowest and highest accuracy in percent that an axis shows.

    Args:
        accuracies: With their error bars, which are shown whole unless the accuracy is left out.
        float_top1: Accuracy of the float network, a fraction; None if it is not drawn.

    Example:
        >>> low, high = axis_range([(90, None), (89, 1.5), (88, None), (87, None), (10, None)])
        >>> 10 < low < 87, high > 90.5
        (True, True)
    """
    values = [value for value, _ in accuracies]
    known = sorted([*values, *([100 * float_top1] if float_top1 is not None else [])], reverse=True)
    best, third = known[0], known[(3 * (len(known) - 1)) // 4]
    near = [v for v in known if best - v <= max(OUTLIER * (best - third), ALWAYS)]
    room = 0.08 * max(best - near[-1], 0.5)
    left = near[-1] - room - (0.5 * (best - near[-1]) * 0.2 if len(near) < len(known) else 0)
    bars = [(value, bar) for value, bar in accuracies if bar is not None and value >= near[-1]]
    beyond = room / 4
    return (
        min([left, *(value - bar - beyond for value, bar in bars)]),
        max([best + room, *(value + bar + beyond for value, bar in bars)]),
    )


def show_accuracies(
    axes: Axes, points: Iterable[tuple[float, Accuracy]], float_top1: float | None = None
) -> None:
    """Set the range of a vertical axis in percent; mark each point below it at the edge.

    Args:
        axes: With the points already drawn.
        points: Position on the horizontal axis, and accuracy.
        float_top1: Accuracy of the float network, a fraction; None if it is not drawn.
    """
    pairs = list(points)
    low, high = axis_range([accuracy for _, accuracy in pairs], float_top1)
    axes.set_ylim(low, high)
    last, stacked = float("-inf"), 0
    for place, value in sorted((place, value) for place, (value, _) in pairs if value < low):
        axes.plot([place], [low], marker="v", color=GREY, clip_on=False, zorder=3)
        pixels = axes.transData.transform((place, low))[0]
        stacked = stacked + 1 if pixels - last < NEAR_PIXELS else 0  # one above the other
        last = pixels
        axes.annotate(
            f"{value:.1f}",
            (place, low),
            xytext=(6, 3 + 9 * stacked),
            textcoords="offset points",
            fontsize=7,
        )
