"""The stage that converts and calibrates."""

from dataclasses import replace

import torch
from safetensors import safe_open

from qat.convert.rules import make_plan
from qat.core.held_plan import HeldPlan, HeldRange
from qat.layers.walk import quantizers
from qat.run.outputs import logits_of_test_set
from qat.run.stages.calibrate import calibrate_stage


def planned(state):
    prepared = state.prepared
    state.plan = make_plan(state.net, prepared.scheme, prepared.images.example())
    return state


def test_every_range_is_fixed_and_the_float_network_stays(make_state):
    state = planned(make_state())
    before = state.net.second.weight.clone()
    result = calibrate_stage(state)
    assert all(bool(quantizer.calibrated) for _, _, quantizer in quantizers(state.qnet))
    assert not state.quantized.training
    assert torch.equal(state.net.second.weight, before)
    assert result.seconds["calibration"] > 0
    assert logits_of_test_set(state.prepared, state.qnet, "").shape == (12, 3)


def test_a_second_run_gives_the_same_ranges_and_counts_the_seconds_of_the_first(make_state):
    first, second = planned(make_state()), planned(make_state())
    calibrate_stage(first)
    [kept] = (first.prepared.cache.root / "calibration").glob("*.safetensors")
    result = calibrate_stage(second)
    assert list(kept.parent.glob("*.safetensors")) == [kept]
    with safe_open(kept, framework="pt") as file:
        assert result.seconds["calibration"] >= float(file.metadata()["seconds"]) > 0
    scales = [[q.qparams().scale for _, _, q in quantizers(s.qnet)] for s in (first, second)]
    assert all(torch.equal(a, b) for a, b in zip(*scales, strict=True))


def test_batch_norm_stays_apart_for_a_training(make_state):
    integer = {"scheme__placement": "integer"}
    trained, static = planned(make_state("qat", **integer)), planned(make_state(**integer))
    calibrate_stage(trained)
    calibrate_stage(static)
    assert trained.qnet.first.norm is not None
    assert static.qnet.first.norm is None


def test_the_ranges_of_a_plan_replace_those_of_the_images(make_state):
    state = planned(make_state())
    held = HeldPlan(state.plan, {"second.act": HeldRange((0.125,), (0,))})
    state.prepared = replace(state.prepared, held=held)
    assert calibrate_stage(state).warnings == []
    scales = {(n, slot): q.qparams().scale for n, slot, q in quantizers(state.qnet)}
    assert scales["second", "act"].item() == 0.125
    assert scales["head", "act"].item() != 0.125
