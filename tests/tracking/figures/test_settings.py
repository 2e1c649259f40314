"""Settings as points: sorted within their group, far ones at the edge."""

import pytest

from qat.tracking.figures.settings import SettingRow, settings_figure


def test_strategies_are_points_sorted_within_their_budget():
    rows = [
        SettingRow("b", 0.88, 0.001, "4 bits", 4096),
        SettingRow("a", 0.90, None, "4 bits", 2048),
        SettingRow("c", 0.89, None, "3 bits", 1024),
        SettingRow("far", 0.11, None, "3 bits", 1024),
    ]
    (axes,) = settings_figure(rows, 0.91, "a net").axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c", "far"]
    assert [c[0].get_xdata()[0] for c in axes.containers] == pytest.approx([90, 88, 89])
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["4 bits", "2 KiB", "4 KiB", "3 bits", "1 KiB", "11.0", "1 KiB"]
    low, high = axes.get_xlim()
    assert 80 < low < 88
    assert 91 < high < 92


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="no setting to draw: give at least one"):
        settings_figure([])
