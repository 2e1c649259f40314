"""Orders: a known optimum, and brute force over every order of small random graphs."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qat.memory.blocks import make_blocks, peak_bytes
from qat.memory.liveness import MemoryGraph, MemoryOperation, MemoryTensor, check_order
from qat.memory.read import read_memory
from qat.memory.schedule import TooManyStatesError, beam_order, exact_order, schedule
from qat.memory.strategies import SCHEDULED, STRATEGIES, Strategy, plan_memory
from tests.memory.networks import BRANCHES_BEST, BRANCHES_FIRST, Branches, Chain


def branches():
    return read_memory(Branches().eval(), (1, 1, 4, 4)).graph


@pytest.mark.parametrize("most_states", [50_000, 1], ids=["exact", "beam"])
def test_branches_one_after_the_other(most_states):
    found = schedule(branches(), most_states=most_states)
    assert (found.first_peak, found.peak) == (BRANCHES_FIRST, BRANCHES_BEST)
    assert found.exact == (most_states > 1)
    assert found.saving == pytest.approx(1 - 160 / 272)


def test_a_chain_has_nothing_to_gain():
    graph = read_memory(Chain().eval(), (1, 1, 4, 4)).graph
    found = schedule(graph)
    assert found.order == graph.order
    assert found.saving == 0


def test_the_limit_is_held():
    with pytest.raises(TooManyStatesError, match="beam"):
        exact_order(branches(), most_states=1)


@st.composite
def graphs(draw):
    """Up to six operations behind an input; sizes such that writing over is often possible."""
    operations, tensors = {}, {}
    for i in range(draw(st.integers(2, 7))):
        name = f"t{i}"
        read = tuple(f"t{j}" for j in range(i) if draw(st.booleans()))
        read = read or (("t0",) if i else ())
        view = i > 0 and draw(st.integers(0, 5)) == 0
        storage = tensors[read[0]].storage if view else name
        size = tensors[storage].elements if view else draw(st.integers(1, 3)) * 4
        over = read if draw(st.booleans()) and not view else ()
        operations[name] = MemoryOperation(name, "op", "", (name,), read, over)
        tensors[name] = MemoryTensor(name, (size,), (1,), 0, size, 8, storage)
    return MemoryGraph(operations, tensors, (tensors[name].storage,))


def peak(graph, order, in_place):
    return peak_bytes(make_blocks(graph, order, in_place))


def orders(graph):
    for order in permutations(graph.order):
        try:
            yield check_order(graph, order)
        except ValueError:
            continue


@settings(max_examples=60)
@given(graphs(), st.booleans())
def test_exact_equals_every_order_tried(graph, in_place):
    best = min(peak(graph, order, in_place) for order in orders(graph))
    assert peak(graph, exact_order(graph, in_place), in_place) == best
    beam = check_order(graph, beam_order(graph, in_place, beam=2))
    assert best <= peak(graph, beam, in_place)
    assert best <= schedule(graph, in_place, most_states=1).peak <= peak(graph, None, in_place)


@settings(max_examples=60)
@given(graphs())
def test_every_strategy_gives_a_plan_that_holds(graph):
    sizes = [plan_memory(graph, s, alignment=1).arena for s in STRATEGIES]
    assert all(a.lower_bound <= a.bytes for a in sizes)
    assert sizes[0].bytes >= sizes[1].lower_bound >= sizes[2].lower_bound >= sizes[3].lower_bound


def test_strategies_are_switched_apart_and_together():
    graph = branches()
    widths = {name: 8 for name, t in graph.tensors.items() if not t.is_view}
    coded = plan_memory(
        graph, Strategy(reuse=True, in_place=True, schedule=True, widths=True), widths
    )
    assert coded.arena.lower_bound * 4 == plan_memory(graph, SCHEDULED).arena.lower_bound
    assert coded.strategy.name == "reuse+in_place+schedule+widths"
    assert Strategy().name == "naive"


def test_strategies_that_need_others_say_so():
    with pytest.raises(ValueError, match="switch reuse on"):
        Strategy(schedule=True)
    with pytest.raises(ValueError, match="give bits"):
        plan_memory(branches(), Strategy(widths=True))


def test_what_costs_nothing_now_may_cost_later():
    """Making ``early`` does not raise the peak of 100, but it is then alive beside ``wide``."""
    sizes = {"x": 10, "big": 90, "small": 10, "early": 50, "wide": 80, "narrow": 1, "join": 1}
    reads = {"big": "x", "small": "big", "early": "small", "wide": "small", "narrow": "wide"}
    operations = {
        n: MemoryOperation(n, "op", "", (n,), tuple(reads.get(n, "").split())) for n in sizes
    }
    operations["join"] = replace(operations["join"], inputs=("early", "narrow"))
    tensors = {n: MemoryTensor(n, (s,), (1,), 0, s, 8, n) for n, s in sizes.items()}
    found = schedule(MemoryGraph(operations, tensors, ("join",)))
    assert (found.first_peak, found.peak) == (140, 100)
