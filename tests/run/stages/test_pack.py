"""The stage that writes the packed file."""

import json

from qat.run.stages.pack import pack_stage


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
