"""Strategies as bars."""

import pytest

from qat.tracking.figures.memory_strategies import strategies_figure


def test_a_bar_for_each_strategy_of_each_network():
    (axes,) = strategies_figure(
        {"a": {"naive": 100, "reuse": 20}, "b": {"naive": 100, "reuse": 5}}
    ).axes
    heights = [[bar.get_height() for bar in group] for group in axes.containers]
    assert heights == [[100, 100], [20, 5]]
    assert [text.get_text() for text in axes.texts] == ["100", "100", "20", "5"]


def test_nothing_to_draw_is_told():
    with pytest.raises(ValueError, match="no strategy to draw"):
        strategies_figure({})
