"""What each switch does, by hand, and that no plan leaves unverified."""

import pytest
from torch import nn

from qat.memory.read import read_memory
from qat.memory.strategies import IN_PLACE, REUSE, MemoryPlan, Strategy, plan_memory
from qat.memory.verify import PlanError

# Image, convolution, ReLU out of place, convolution: 4 x 4 x 4 floats each.
TENSOR = 4 * 4 * 4 * 4


@pytest.fixture
def graph():
    net = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 1)).eval()
    return read_memory(net, (1, 4, 4, 4)).graph


def test_naive_has_a_buffer_for_every_operation_all_at_once(graph):
    plan = plan_memory(graph, Strategy())
    assert plan.arena.bytes == 4 * TENSOR
    spans = {(block.first, block.last) for block in plan.blocks}
    assert spans == {(0, len(plan.order) - 1)}


def test_reuse_keeps_two_and_in_place_still_needs_two_for_a_convolution(graph):
    assert plan_memory(graph, REUSE).arena.bytes == 2 * TENSOR
    assert plan_memory(graph, IN_PLACE).arena.bytes == 2 * TENSOR


def test_in_place_shares_a_block_only_where_it_is_on(graph):
    assert all(len(block.members) == 1 for block in plan_memory(graph, REUSE).blocks)
    assert [len(block.members) for block in plan_memory(graph, IN_PLACE).blocks].count(2) == 1


def test_every_plan_goes_through_the_verifier(graph, monkeypatch):
    def refuse(plan):
        raise PlanError(f"looked at {plan.strategy.name}")

    monkeypatch.setattr(MemoryPlan, "verify", refuse)
    with pytest.raises(PlanError, match="looked at reuse"):
        plan_memory(graph, REUSE)


def test_widths_need_widths(graph):
    with pytest.raises(ValueError, match="give bits"):
        plan_memory(graph, Strategy(reuse=True, widths=True))
