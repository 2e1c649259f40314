"""The memory of a run's networks: memory.json and its metrics."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from qat.memory.strategies import Strategy
from qat.run.memory import planned as planning
from qat.run.memory.planned import run_memory, strategy


@pytest.fixture
def memory_of(make_quantized_state):
    """Plan the memory of both networks; gives the result and the file's content."""

    def plan(**changes):
        state = make_quantized_state(scheme__placement="integer", **changes)
        request = state.prepared.memory
        images = next(state.prepared.images.first_test_images(request.settings.batch))
        result = run_memory(request, images, state.net, state.qnet, state.folder.path)
        return result, json.loads(result.files["memory"].read_text())

    return plan


def test_the_peak_is_that_of_the_largest_neighbours(memory_of):
    result, memory = memory_of(memory__alignment=1)
    # Image and first maps are alive together; in codes, of 8 bits and of 4.
    assert result.metrics["float_peak_activation_bytes"] == (3 + 4) * 64 * 4
    assert result.metrics["peak_activation_bytes"] == 3 * 64 + 4 * 64 // 2
    assert memory["batch"] == 1
    assert memory["networks"]["network"]["arena"]["bytes"] == 3 * 64 + 4 * 64 // 2


def test_without_any_strategy_tensors_lie_side_by_side(memory_of):
    off = dict.fromkeys(("reuse", "in_place", "schedule", "widths"), False)
    changes = {f"memory__{name}": value for name, value in off.items()}
    _, memory = memory_of(**changes, memory__alignment=1)
    for network in memory["networks"].values():
        assert network["arena"]["bytes"] == sum(block["bytes"] for block in network["blocks"])
        assert network["arena"]["saving_percent"] == 0


def test_a_run_inside_the_arena_is_equal_and_measured(memory_of):
    result, memory = memory_of(memory__execute=True)
    for network in memory["networks"].values():
        assert network["execution"]["equal"] is True
        assert network["execution"]["arena_bytes"] == network["arena"]["bytes"]
    assert {"arena_workspace_bytes", "float_arena_workspace_bytes"} <= result.metrics.keys()


def test_a_run_inside_the_arena_that_differs_is_refused(make_prepared, make_source):
    prepared = make_prepared("float")
    net, images = make_source(prepared).net, prepared.images.example()[:1]
    planned = planning._float(net, images.shape, prepared.memory.settings)
    planning.execute("float", planned, images)
    nn.init.zeros_(planned.net.head.bias)
    with pytest.raises(ValueError, match="the float network gives another output inside its arena"):
        planning.execute("float", planned, images)


def test_a_network_whose_graph_cannot_be_read_has_reasons(make_prepared, tmp_path):
    class Branching(nn.Module):
        def forward(self, x):
            if x.sum() > 0:
                return x
            return -x

    request = make_prepared("float", memory__execute=True).memory
    result = run_memory(request, torch.zeros(1, 3, 8, 8), Branching(), None, tmp_path)
    reason = json.loads(result.files["memory"].read_text())["unplanned"]
    assert "if x.sum() > 0" in reason
    names = {"float_peak_activation_bytes", "arena_workspace_bytes", "arena_allocated_bytes"}
    assert result.not_measured == dict.fromkeys(names, reason)


def test_strategies_are_those_that_are_on(make_config):
    settings = make_config().memory
    assert strategy(settings) == Strategy(True, True, True, True)
    off = replace(settings, in_place=False, widths=False)
    assert strategy(off) == Strategy(reuse=True, schedule=True)
