"""Memory figures: bars and their words, rectangles by hand."""

import pytest

from qat.tracking.figures.memory import arena_figure, layer_memory_figure, memory_figures

ARENA = {
    "order": ["x", "conv", "relu"],
    "arena": {"bytes": 3072, "lower_bound_bytes": 2048},
    "blocks": [
        {"bytes": 1024, "first": 0, "last": 1, "members": ["x"], "offset": 2048, "bits": 8},
        {"bytes": 2048, "first": 1, "last": 2, "members": ["c", "relu"], "offset": 0, "bits": 32},
    ],
}


def row(name, parameters, activations):
    return {"name": name, "parameters": parameters, "activations": activations}


TOLD = {
    "batch": 1,
    "inference_float": {"rows": [row("conv", 1024, 2048), row("relu", 0, 2048)]},
    "inference": {"rows": [row("conv", 128, 512)]},
    "weight_bits": {"conv": 4},
    "stored_bits": {"conv": 8},
    "networks": {"float": ARENA, "network": ARENA},
}


def test_bars_hold_weights_and_output_and_say_the_bits():
    (axes,) = layer_memory_figure(TOLD).axes
    heights = [[bar.get_height() for bar in group] for group in axes.containers]
    assert heights == [[3.0], [0.625]]  # KiB
    assert [text.get_text() for text in axes.texts] == ["w4/a8"]


def test_blocks_are_rectangles_of_steps_and_bytes():
    (axes,) = arena_figure(ARENA, 1).axes
    found = [(r.get_x(), r.get_y(), r.get_width(), r.get_height()) for r in axes.patches]
    assert found == [(0, 2.0, 2, 1.0), (1, 0.0, 2, 2.0)]
    assert [text.get_text() for text in axes.texts] == ["x", "relu"]
    assert [t.get_text() for t in axes.get_legend().get_texts()] == ["8 bit", "32 bit"]
    assert list(axes.lines[0].get_ydata()) == [2.0, 2.0]


def test_what_there_is_to_draw():
    assert memory_figures(TOLD).keys() == {"memory_layers", "memory_arena"}
    alone = {"batch": 1, "networks": {"float": ARENA}}
    assert memory_figures(alone).keys() == {"memory_arena"}
    assert memory_figures({"unplanned": "for a reason"}) == {}


def test_inputs_quantized_alone_leave_no_layer_to_draw():
    assert memory_figures({**TOLD, "weight_bits": {}}).keys() == {"memory_arena"}


def test_no_layer_is_told():
    with pytest.raises(ValueError, match="no layer to draw"):
        layer_memory_figure(TOLD | {"weight_bits": {}})
