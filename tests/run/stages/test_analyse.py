"""The stage that compares tensors: layers.json."""

import json
import math

import torch

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


def test_an_integer_network_is_compared_with_folded_weights(make_quantized_state):
    state = make_quantized_state(scheme__placement="integer")
    analyse_stage(state)
    [row] = [r for r in state.layers if (r.name, r.slot) == ("first", "weight")]
    folded = state.net.first.weight.detach() / (0.25 + 1e-5) ** 0.5
    error = folded - state.qnet.first.quantized()[0].detach()
    sqnr = 10 * torch.log10(folded.square().sum() / error.square().sum())
    assert abs(row.sqnr_db - float(sqnr)) < 1e-3
