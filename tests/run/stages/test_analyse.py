"""The stage that compares tensors: layers.json."""

import json
import math

from qat.run.stages.analyse import analyse_stage


def test_every_weight_and_input_has_a_row(make_quantized_state):
    state = make_quantized_state()
    result = analyse_stage(state)
    assert list(result.files) == ["layers"]
    rows = json.loads(result.files["layers"].read_text())
    assert [(row["name"], row["slot"]) for row in rows] == [
        (row.name, row.slot) for row in state.layers
    ]
    bits = {(row["name"], row["slot"]): row["bits"] for row in rows if row["slot"] == "weight"}
    assert bits == {("first", "weight"): 8, ("second", "weight"): 4, ("head", "weight"): 8}


def test_the_error_of_a_weight_is_that_of_its_codes(make_quantized_state):
    state = make_quantized_state()
    analyse_stage(state)
    [row] = [r for r in state.layers if (r.name, r.slot) == ("second", "weight")]
    weight = state.net.second.weight.detach()
    error = weight - state.qnet.second.quantized()[0].detach()
    sqnr = 10 * math.log10(float(weight.double().square().sum() / error.double().square().sum()))
    assert abs(row.sqnr_db - sqnr) < 1e-4


def test_an_integer_network_is_compared_with_folded_layers(make_quantized_state):
    state = make_quantized_state(scheme__placement="integer")
    analyse_stage(state)
    sqnr = {(row.name, row.slot): row.sqnr_db for row in state.layers}
    # The layer computes with 8 bits, about 6 dB each; without the batch norm, whose variance of
    # 0.25 doubles the values, the error would be as large as the values: 0 dB.
    assert sqnr["first", "output"] > 30
