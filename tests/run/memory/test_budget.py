"""The budget of a run: the setting, or a quarter of what may be used; no result depends on it."""

import json
from dataclasses import replace

import pytest
import torch

from qat.config.schema import MemoryConfig
from qat.run.deploy import deployment
from qat.run.memory import budget
from qat.run.memory.budget import memory_budget_bytes
from qat.run.stages.analyse import analyse_stage
from qat.run.stages.deploy import deploy_stage
from qat.run.stages.evaluate import evaluate_stage
from qat.run.stages.memory import memory_stage
from qat.run.stages.pack import pack_stage

STAGES = (evaluate_stage, pack_stage, analyse_stage, memory_stage, deploy_stage)


def test_the_setting_or_a_quarter(monkeypatch):
    monkeypatch.setattr(budget, "usable_memory_bytes", lambda: 8000)
    assert memory_budget_bytes(MemoryConfig()) == 2000
    assert memory_budget_bytes(MemoryConfig(budget=5_000_000)) == 5_000_000


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["academic", "integer"])
def test_metrics_and_files_are_equal_within_one_byte_and_within_a_large_budget(
    make_quantized_state, monkeypatch, placement
):
    monkeypatch.setattr(deployment, "time_networks", lambda *_, **__: None)

    def results_within(budget_bytes):
        torch.manual_seed(0)
        state = make_quantized_state(scheme__placement=placement, scheme__first_last="same")
        memory = replace(state.prepared.memory, budget_bytes=budget_bytes)
        state.prepared = replace(state.prepared, memory=memory)
        metrics, files = {}, {}
        for stage in STAGES:
            result = stage(state)
            metrics |= result.metrics
            files |= {name: content(path) for name, path in result.files.items()}
        return metrics, files

    metrics, files = results_within(1)
    assert {"packed", "layers", "memory"} <= files.keys()
    assert ("parity" in files) == (placement == "integer")
    assert results_within(2**60) == (metrics, files)


def content(path):
    """The bytes of a file; of JSON the values, without the seconds that planning took."""
    if path.suffix != ".json":
        return path.read_bytes()
    return without_seconds(json.loads(path.read_text()))


def without_seconds(value):
    if isinstance(value, dict):
        return {k: without_seconds(v) for k, v in value.items() if k != "seconds"}
    return [without_seconds(v) for v in value] if isinstance(value, list) else value
