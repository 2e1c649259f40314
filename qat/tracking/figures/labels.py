"""Names beside points, at positions where they cover neither each other nor the data."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

PlotPoint = tuple[float, float]
"""Horizontal and vertical position."""
FONT = 7.0
MOST_COVERED = 0.03
"""A name that would cover others with a larger share of its area is left out."""
_PLACES = (
    *((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)),
    *((0, 2.4), (0, -2.4), (2, 2), (-2, 2), (2, -2), (-2, -2)),
    *((0, 4), (0, -4), (3, 3.5), (-3, 3.5)),
)
"""Positions of a name relative to its point, in line heights; the first free one is used."""


def name_points(
    axes: Axes, names: Sequence[str], places: Sequence[PlotPoint], taken: Sequence[PlotPoint]
) -> None:
    """Write each name beside its point, with a thin line between them, as far as there is room.

    A name without a free place is left out: the legend has the colour and marker of its point.
    Limits and scales of the axes must not change afterwards.

    Args:
        axes: Of the points.
        names: One for each place.
        places: The points to name, in data units.
        taken: All points that are drawn, in data units; no name covers them.
    """
    figure = axes.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    line = FONT * figure.dpi / 72
    inside = axes.get_window_extent(renderer)
    boxes = [_around(axes, place, 0.5 * line) for place in taken]
    for name, place in zip(names, places, strict=True):
        x, y = axes.transData.transform(place)
        text = axes.annotate(
            name,
            place,
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=FONT,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "#999999", "shrinkA": 0},
        )
        size = text.get_window_extent(renderer)
        half_wide, half_high = 0.5 * size.width, 0.6 * line
        best: tuple[float, Bbox, PlotPoint] | None = None
        for across, up in _PLACES:
            # A name beside the point is aligned to it; a name above or below is centred.
            dx = (
                0.0 if across == 0 else (half_wide + abs(across) * line) * (1 if across > 0 else -1)
            )
            dy = 1.3 * up * line
            box = Bbox.from_extents(
                x + dx - half_wide, y + dy - half_high, x + dx + half_wide, y + dy + half_high
            )
            covered = sum(_shared(box, other) for other in boxes) + _outside(box, inside)
            if best is None or covered < best[0]:
                best = covered, box, (dx, dy)
            if covered == 0:
                break
        assert best is not None
        if best[0] > MOST_COVERED * best[1].width * best[1].height:
            text.remove()
            continue
        boxes.append(best[1])
        text.set_position((best[2][0] * 72 / figure.dpi, best[2][1] * 72 / figure.dpi))


def _around(axes: Axes, place: PlotPoint, half: float) -> Bbox:
    x, y = axes.transData.transform(place)
    return Bbox.from_extents(x - half, y - half, x + half, y + half)


def _shared(one: Bbox, other: Bbox) -> float:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    high = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(wide, 0.0) * max(high, 0.0)


def _outside(box: Bbox, inside: Bbox) -> float:
    return box.width * box.height - _shared(box, inside)
