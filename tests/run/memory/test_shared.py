"""Runs with equal networks and formats share the result of the memory stage."""

import json

import pytest

from qat.run.memory import shared
from qat.run.memory.shared import memory_key, shared_memory
from qat.run.stage_result import StageResult
from qat.run.stages import memory as stage
from qat.run.stages.memory import memory_stage

IMAGE = (3, 8, 8)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(shared, "_results", {})


def without_seconds(path):
    text = json.loads(path.read_text())
    for network in text["networks"].values():
        for size in (network["arena"], *network["strategies"].values()):
            del size["seconds"]
    return text


def test_a_run_with_another_observer_gets_the_same_files_and_they_are_right(
    make_quantized_state, monkeypatch
):
    figures = {"tracking__figures": True}
    own = memory_stage(make_quantized_state(scheme__act__observer="percentile", **figures))
    expected = without_seconds(own.files["memory"])
    shared._results.clear()
    first = memory_stage(make_quantized_state(**figures))
    monkeypatch.setattr(stage, "run_memory", None)
    again = memory_stage(make_quantized_state(scheme__act__observer="percentile", **figures))
    assert again.files.keys() == first.files.keys() == {"memory", "memory_layers", "memory_arena"}
    for name, path in again.files.items():
        assert path.read_bytes() == first.files[name].read_bytes()
    assert again.metrics == first.metrics == own.metrics
    assert without_seconds(again.files["memory"]) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"scheme__act__bits": 8},
        {"scheme__weight__bits": 8},
        {"scheme__act__symmetric": False},
        {"memory__batch": 2},
        {"memory__schedule": False},
        {"optimizer__name": "adam"},
        {"scheme__placement": "integer"},
    ],
)
def test_what_the_memory_depends_on_is_in_the_key(make_quantized_state, changes):
    plain = memory_key(make_quantized_state(), IMAGE)
    assert plain == memory_key(make_quantized_state(scheme__act__observer="mse"), IMAGE)
    assert memory_key(make_quantized_state(**changes), IMAGE) != plain
    assert memory_key(make_quantized_state(), (3, 9, 9)) != plain


def test_what_is_measured_and_what_a_user_decides_is_not_shared(make_quantized_state):
    assert memory_key(make_quantized_state(memory__execute=True), IMAGE) is None
    assert memory_key(make_quantized_state(memory__prefetch=True), IMAGE) is None
    target = {"scheme__act__target": "qat.quantizers.minmax:MinMaxQuantizer"}
    state = make_quantized_state(scheme__act__quantizer="user", **target)
    assert memory_key(state, IMAGE) is None


def test_only_the_latest_results_are_kept(tmp_path):
    for number in range(shared.LARGEST_COUNT + 3):
        shared_memory(str(number), tmp_path, StageResult)
    assert list(shared._results) == [str(n) for n in range(3, shared.LARGEST_COUNT + 3)]
    shared_memory(None, tmp_path, StageResult)
    assert len(shared._results) == shared.LARGEST_COUNT
