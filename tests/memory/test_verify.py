"""The verifier finds every way to break a plan."""

from dataclasses import replace

import pytest

from qat.memory.blocks import Block
from qat.memory.read import read_memory
from qat.memory.strategies import IN_PLACE, REUSE, plan_memory
from qat.memory.verify import PlanError, verify_execution, verify_offsets
from tests.memory.networks import Chain, Residual

PAIR = [Block("a", 64, 0, 2), Block("b", 64, 2, 3)]


def test_blocks_that_meet_at_one_step_may_not_overlap():
    verify_offsets(PAIR, {"a": 0, "b": 64}, 128, 64)
    with pytest.raises(PlanError, match="a and b overlap at step 2"):
        verify_offsets(PAIR, {"a": 0, "b": 0}, 128, 64)
    with pytest.raises(PlanError, match="overlap"):
        verify_offsets(PAIR, {"a": 0, "b": 63}, 128, 1)


def test_blocks_that_never_meet_may():
    apart = [PAIR[0], replace(PAIR[1], first=3)]
    verify_offsets(apart, {"a": 0, "b": 0}, 64, 64)


@pytest.mark.parametrize(
    ("offsets", "says"),
    [
        pytest.param({"a": 0}, "b has no offset", id="missing"),
        pytest.param({"a": 0, "b": 65}, "no multiple of 64", id="alignment"),
        pytest.param({"a": 0, "b": 128}, "128 to 192, outside", id="above"),
        pytest.param({"a": -64, "b": 64}, "-64 to 0", id="below"),
    ],
)
def test_places_are_checked(offsets, says):
    with pytest.raises(PlanError, match=says):
        verify_offsets(PAIR, offsets, 128, 64)


def follow(net, offsets, order=None, size=1024):
    graph = read_memory(net.eval(), (1, 1, 4, 4)).graph
    verify_execution(graph, order or graph.order, offsets, size, 64)


GOOD = {"x": 0, "conv": 64, "relu": 64, "pool": 0, "fc": 64}


def error_of(net, offsets):
    try:
        follow(net, offsets)
    except PlanError as error:
        return str(error)
    return None


def test_a_plan_by_hand_is_good():
    assert error_of(Chain(), GOOD) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"conv": 0}, "conv is written over", id="output over a read input"),
        pytest.param({"relu": 128}, "relu is written over", id="half over its input"),
        pytest.param({"fc": 0}, "fc is written over", id="over a storage read by a view"),
    ],
)
def test_a_destroyed_tensor_is_found(change, says):
    with pytest.raises(PlanError, match=says):
        follow(Chain(), GOOD | change)


def test_a_tensor_lost_between_is_found():
    graph = read_memory(Residual().eval(), (1, 1, 4, 4)).graph
    operations = dict(graph.operations)
    # Something unrelated to x is written over it before the add reads it again.
    operations["conv"] = replace(operations["conv"], inputs=())
    changed = replace(graph, operations=operations)
    places = {"x": 0, "conv": 0, "add": 64, "relu": 64}
    with pytest.raises(PlanError, match=r"add reads \['x'\], which is not in the arena"):
        verify_execution(changed, graph.order, places, 128, 64)


def test_one_byte_is_enough():
    graph = read_memory(Chain().eval(), (1, 1, 4, 4)).graph
    verify_execution(graph, graph.order, GOOD | {"conv": 65, "relu": 65}, 1024, 1)
    with pytest.raises(PlanError, match="conv is written over"):
        verify_execution(graph, graph.order, GOOD | {"conv": 63, "relu": 63}, 1024, 1)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"stride": (32, 1, 8, 2)}, id="another order of elements"),
        pytest.param({"bits": 64, "elements": 16}, id="another width in as many bytes"),
    ],
)
def test_only_what_lies_alike_is_written_over_while_it_is_read(change):
    graph = read_memory(Chain().eval(), (1, 1, 4, 4)).graph
    tensors = dict(graph.tensors)
    tensors["relu"] = replace(tensors["relu"], **change)
    with pytest.raises(PlanError, match="relu is written over"):
        verify_execution(replace(graph, tensors=tensors), graph.order, GOOD, 1024, 64)


def test_an_output_that_is_destroyed_is_found():
    graph = read_memory(Residual().eval(), (1, 1, 4, 4)).graph
    places = {"x": 0, "conv": 64, "add": 64, "relu": 64}
    verify_execution(graph, graph.order, places, 128, 64)
    with pytest.raises(PlanError, match=r"output \['conv'\] is destroyed"):
        verify_execution(replace(graph, outputs=("conv",)), graph.order, places, 128, 64)


def test_an_order_that_reads_too_early_is_found():
    with pytest.raises(PlanError, match="relu reads"):
        follow(Chain(), GOOD, ("x", "relu", "conv", "pool", "flatten", "fc"))


@pytest.mark.parametrize("strategy", [REUSE, IN_PLACE], ids=lambda s: s.name)
def test_what_the_planner_makes_is_good(strategy):
    plan = plan_memory(read_memory(Chain().eval(), (1, 1, 4, 4)).graph, strategy)
    assert plan.verify() is plan
    broken = replace(plan.arena, offsets=dict.fromkeys(plan.arena.offsets, 0))
    with pytest.raises(PlanError, match="overlap"):
        replace(plan, arena=broken).verify()
