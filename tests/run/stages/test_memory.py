"""The stage of the memory plan."""

import json

from qat.run.stages.memory import memory_stage


def test_a_batch_of_test_images_is_planned(make_quantized_state):
    state = make_quantized_state(memory__batch=2, memory__execute=True)
    result = memory_stage(state)
    memory = json.loads(result.files["memory"].read_text())
    assert (memory["batch"], memory["image_shape"]) == (2, [3, 8, 8])
    assert memory["networks"].keys() == {"float", "network"}
    assert memory["networks"]["network"]["execution"]["images"] == 2
    # Alive together: two images of 3 x 8 x 8, and their 4 maps, in float32.
    assert result.metrics["float_peak_activation_bytes_b2"] == 2 * (3 + 4) * 64 * 4
    assert state.results.seconds["memory"] > 0


def test_no_figures_are_drawn_where_none_are_wanted(make_state):
    state = make_state("float")
    assert memory_stage(state).files.keys() == {"memory"}
    assert not list(state.folder.path.glob("*.png"))
