"""Lifetimes, widths and orders: counted by hand on toy networks."""

import pytest

from qat.memory.liveness import check_order, fits_over, lifetimes, may_overwrite
from qat.memory.strategies import Strategy, plan_memory
from tests.memory.networks import FLOAT, Chain, Function, Residual, graph_of


def spans(graph, order=None):
    return {name: (life.first, life.last) for name, life in lifetimes(graph, order).items()}


def test_a_chain_by_hand():
    graph = graph_of(Chain())
    assert graph.order == ("x", "conv", "relu", "pool", "flatten", "fc")
    assert [t.elements for t in graph.tensors.values()] == [16, 32, 32, 8, 8, 3]
    assert graph.tensors["flatten"].storage == "pool"
    assert graph.tensors["flatten"].shape == (1, 8)
    # The view keeps the pool's storage alive until the linear layer has read it.
    assert spans(graph) == {
        "x": (0, 1),
        "conv": (1, 2),
        "relu": (2, 3),
        "pool": (3, 5),
        "fc": (5, 5),
    }
    assert plan_memory(graph, Strategy(), alignment=1).arena.bytes == (16 + 32 + 32 + 8 + 3) * FLOAT


def test_outputs_live_to_the_end_and_are_not_overwritten():
    graph = graph_of(Function(lambda x: (x.tanh(), x.tanh().relu().mean())))
    assert spans(graph)["tanh"][1] == len(graph.order) - 1
    assert set(graph.outputs) == {"tanh", "mean"}


@pytest.mark.parametrize("bits", [8, 4])
def test_widths_round_up_to_bytes(bits):
    graph = graph_of(Chain()).with_bits({"fc": bits})
    assert graph.tensors["fc"].bytes == {8: 3, 4: 2}[bits]
    assert graph.tensors["conv"].bytes == 128


def test_a_view_has_the_width_of_its_storage():
    graph = graph_of(Chain()).with_bits({"pool": 4})
    assert graph.tensors["flatten"].bytes == graph.tensors["pool"].bytes == 4


def test_widths_of_nothing_are_refused():
    graph = graph_of(Chain())
    with pytest.raises(KeyError, match="flatten"):  # a view has no width of its own
        graph.with_bits({"flatten": 8})
    with pytest.raises(ValueError, match="1 bit"):
        graph.with_bits({"fc": 0})


def test_orders_are_checked():
    graph = graph_of(Chain())
    with pytest.raises(ValueError, match="relu is before"):
        check_order(graph, ("x", "relu", "conv", "pool", "flatten", "fc"))
    with pytest.raises(ValueError, match="each of the 6"):
        lifetimes(graph, ("x", "conv"))


def test_only_an_input_that_dies_at_the_step_may_be_overwritten():
    graph = graph_of(Residual())
    live = lifetimes(graph)
    steps = {name: step for step, name in enumerate(graph.order)}
    overwritten = {name: may_overwrite(graph, name, live, steps[name]) for name in graph.order}
    assert overwritten == {"x": "", "conv": "", "add": "conv", "relu": "add"}
    again = graph_of(Function(lambda x: x.relu() + x))
    assert may_overwrite(again, "relu", lifetimes(again), 1) == ""  # the add reads x as well
    narrow = graph.with_bits({"conv": 8}).tensors
    assert not fits_over(narrow["add"], narrow["conv"])
