"""Which accuracies an axis shows, and what becomes of those far below."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes

from qat.tracking.figures.style import GREY

OUTLIER, ALWAYS = 3.0, 12.0
"""A point lies off the axis if it is so many times as far below the best as the third quarter, and
more than so many percent."""

NEAR_PIXELS = 40


def axis_range(values: Sequence[float], float_top1: float | None = None) -> tuple[float, float]:
    """Lowest and highest accuracy in percent that an axis shows.

    Example:
        >>> low, high = axis_range([90, 89, 88, 87, 10])
        >>> 10 < low < 87
        True
    """
    known = sorted([*values, *([100 * float_top1] if float_top1 is not None else [])], reverse=True)
    best, third = known[0], known[(3 * (len(known) - 1)) // 4]
    near = [v for v in known if best - v <= max(OUTLIER * (best - third), ALWAYS)]
    room = 0.08 * max(best - near[-1], 0.5)
    left = near[-1] - room - (0.5 * (best - near[-1]) * 0.2 if len(near) < len(known) else 0)
    return left, best + room


def show_accuracies(
    axes: Axes, points: Iterable[tuple[float, float]], float_top1: float | None = None
) -> None:
    """Give a vertical axis in percent its range; a point below it stands at its edge, with value.

    Args:
        axes: The points are drawn on it already.
        points: Place on the other axis, and accuracy in percent.
        float_top1: A fraction, where it is drawn too.
    """
    found = list(points)
    low, high = axis_range([value for _, value in found], float_top1)
    axes.set_ylim(low, high)
    last, stacked = float("-inf"), 0
    for place, value in sorted((place, value) for place, value in found if value < low):
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
