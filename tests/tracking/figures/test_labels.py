"""Names beside points: inside the axes, on no point and on no other name."""

from itertools import combinations

import pytest
from matplotlib.text import Text

from qat.tracking.figures.labels import name_points
from qat.tracking.figures.style import new_figure

CROWDED = [(0.0, 0.0), (0.02, 0.01), (0.04, 0.0), (1.0, 1.0), (1.0, 0.98), (0.5, 0.0)]


@pytest.fixture
def named():
    """Axes with six named points, the names' boxes and the points in pixels."""
    figure, axes = new_figure()
    axes.plot(*zip(*CROWDED, strict=True), linestyle="none", marker="o", markersize=3)
    axes.margins(0.03)
    name_points(axes, [f"setting {index}" for index in range(6)], CROWDED, CROWDED)
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    # of the words alone, without the line to the point
    boxes = [Text.get_window_extent(text, renderer) for text in axes.texts]
    return axes, boxes, axes.transData.transform(CROWDED)


def test_each_point_has_its_name(named):
    axes, _, _ = named
    assert [text.get_text() for text in axes.texts] == [f"setting {index}" for index in range(6)]
    assert [text.xy for text in axes.texts] == CROWDED


def test_names_cover_neither_each_other_nor_a_point(named):
    axes, boxes, points = named
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.contains(*point) for box in boxes for point in points)
    inside = axes.get_window_extent()
    for box in boxes:
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1
        assert inside.y0 <= box.y0 < box.y1 <= inside.y1


def test_a_name_without_a_free_place_is_left_out():
    figure, axes = new_figure()
    together = [(0.5, 0.5)] * 40
    name_points(
        axes, [f"a long name of setting {index}" for index in range(40)], together, together
    )
    renderer = figure.canvas.get_renderer()
    boxes = [Text.get_window_extent(text, renderer) for text in axes.texts]
    assert 2 < len(boxes) < 30
    for one, other in combinations(boxes, 2):
        shared = max(0, min(one.x1, other.x1) - max(one.x0, other.x0)) * max(
            0, min(one.y1, other.y1) - max(one.y0, other.y0)
        )
        assert shared < 0.3 * one.width * one.height
