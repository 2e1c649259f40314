"""Memory figures: bars and their words, rectangles by hand."""

from dataclasses import replace

import pytest

from qat.records.side_files.memory import MemoryFile
from qat.tracking.figures.memory import arena_figure, layer_memory_figure, memory_figures
from tests.side_files import MEMORY, UNPLANNED

MEMORY_FILE = MemoryFile.from_data(MEMORY)
PLANNED = MEMORY_FILE.planned


def with_planned(**changes):
    return replace(MEMORY_FILE, planned=replace(PLANNED, **changes))


def test_bars_hold_weights_and_output_and_say_the_bits():
    (axes,) = layer_memory_figure(PLANNED).axes
    heights = [[bar.get_height() for bar in group] for group in axes.containers]
    assert heights == [[3.0], [0.625]]  # KiB
    assert [text.get_text() for text in axes.texts] == ["w4/a8"]


def test_blocks_are_rectangles_of_steps_and_bytes():
    (axes,) = arena_figure(PLANNED.networks["network"], 1).axes
    found = [(r.get_x(), r.get_y(), r.get_width(), r.get_height()) for r in axes.patches]
    assert found == [(0, 2.0, 2, 1.0), (1, 0.0, 2, 2.0)]
    assert [text.get_text() for text in axes.texts] == ["x", "relu"]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["8 bit", "32 bit"]
    assert list(axes.lines[0].get_ydata()) == [2.0, 2.0]


def test_what_there_is_to_draw():
    assert memory_figures(MEMORY_FILE).keys() == {"memory_layers", "memory_arena"}
    networks = {"float": PLANNED.networks["float"]}
    alone = with_planned(networks=networks, inference=None, weight_bits=None, stored_bits=None)
    assert memory_figures(alone).keys() == {"memory_arena"}
    assert memory_figures(MemoryFile.from_data(UNPLANNED)) == {}


def test_inputs_quantized_alone_leave_no_layer_to_draw():
    assert memory_figures(with_planned(weight_bits={})).keys() == {"memory_arena"}


def test_no_layer_is_told():
    with pytest.raises(ValueError, match="no layer to draw"):
        layer_memory_figure(replace(PLANNED, weight_bits={}))
