"""The stages of evaluation and prediction."""

import json

import pytest
import torch

from qat.convert.clipped import ClippedSignsWarning
from qat.run.mixed.allocation import choose_plan
from qat.run.stages.evaluate import evaluate_stage, prediction_stage


@pytest.fixture
def mixed(make_state):
    def make(**changes):
        state = make_state("mixed", **changes)
        state.allocation = choose_plan(state.prepared.mixed, state.source)
        state.plan = state.allocation.plan
        return state

    return make


def test_the_accuracies_are_those_of_both_networks(make_quantized_state):
    state = make_quantized_state()
    labels, expected, state.logits = state.prepared.data.test.labels, state.logits, None
    state.float_logits = torch.eye(3)[labels]  # all of them right
    metrics = evaluate_stage(state).metrics
    assert torch.equal(state.logits, expected)
    right = float((expected.argmax(1) == labels).float().mean())
    assert (metrics["float_top1"], metrics["top1"]) == (1, pytest.approx(right))
    assert metrics["top1_drop"] == pytest.approx(1 - right)


def test_a_wrong_sign_is_a_warning(make_quantized_state):
    with pytest.warns(ClippedSignsWarning):
        state = make_quantized_state(scheme__act__signed=False)
    [line] = evaluate_stage(state).warnings
    assert line.startswith("evaluation: first (act): ")


def test_other_modes_have_no_prediction(make_quantized_state):
    result = prediction_stage(make_quantized_state())
    assert not result.files
    assert not result.metrics


def test_the_choice_is_written_and_its_prediction_checked(mixed):
    result = prediction_stage(mixed())
    assert result.metrics == {}
    assert json.loads(result.files["allocation"].read_text())["check"] is None
    checked = prediction_stage(mixed(mixed__check_plans=5, mixed__check_images=6))
    plans = json.loads(checked.files["allocation"].read_text())["check"]["plans"]
    best = max(plan["top1"] for plan in plans)
    assert checked.metrics["random_plans_top1_best"] == best
    assert all(plan["top1"] * 6 == pytest.approx(round(plan["top1"] * 6)) for plan in plans)
