"""The stage that writes the packed file."""

import json
from dataclasses import replace

import pytest

from qat.core.evaluation_mode import evaluating
from qat.run.stages.pack import _known_logits, pack_stage


def test_the_file_and_the_sizes_of_its_parts(make_quantized_state):
    state = make_quantized_state(scheme__first_last="same")
    result = pack_stage(state)
    packed = state.folder.path / "packed.safetensors"
    assert result.files == {"packed": packed, "sizes": state.folder.path / "sizes.json"}
    assert result.metrics["packed_bytes"] == packed.stat().st_size
    rows = {row["name"]: row for row in json.loads(result.files["sizes"].read_text())}
    assert sum(row["written_bytes"] for row in rows.values()) == packed.stat().st_size
    # 144 weights of 4 bits and 4 biases of 32; in float, 144 + 4 numbers (and ranges).
    second = rows["second"]
    assert second["bits"] == 4
    assert 144 // 2 + 4 * 4 < second["theoretical_bytes"] < 144 // 2 + 4 * 4 + 32
    assert 4 * (144 + 4) <= second["simulated_bytes"] < 4 * (144 + 4) + 64
    assert state.results.seconds["packing"] > 0


def test_the_outputs_of_the_evaluation_are_not_computed_again(make_quantized_state):
    state = make_quantized_state()
    images = next(state.prepared.images.first_test_images(5))
    with evaluating(state.quantized):
        assert state.quantized(images).equal(_known_logits(state, 5)[:5])
    calls = []
    state.quantized.register_forward_hook(lambda *_: calls.append(1))
    pack_stage(state)
    assert not calls
    state.logits = state.logits + 1
    with pytest.raises(ValueError, match="does not give the same outputs"):
        pack_stage(state)


def test_batches_of_another_size_are_computed(make_quantized_state):
    state = make_quantized_state()
    images = replace(state.prepared.images, test_batch_size=5)
    images.__dict__["at_once"] = 2  # the verification has 2, 2 and 1 images, the evaluation 2, 2, 2
    state.prepared = replace(state.prepared, images=images)
    assert _known_logits(state, 2) is None
    calls = []
    state.quantized.register_forward_hook(lambda *_: calls.append(1))
    pack_stage(state)
    assert len(calls) == 3
