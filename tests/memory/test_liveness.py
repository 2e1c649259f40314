"""Tensors, views, lifetimes: counted by hand on toy networks."""

import pytest
import torch
from torch import nn

from qat.graph.trace import TraceError
from qat.memory.blocks import live_bytes, make_blocks, peak_bytes
from qat.memory.liveness import check_order, lifetimes
from qat.memory.read import GraphMemoryError, read_memory
from qat.memory.strategies import Strategy, plan_memory
from tests.memory.networks import FLOAT, Chain, Residual


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def graph_of(net, shape=(1, 1, 4, 4), **options):
    return read_memory(net.eval(), shape, **options).graph


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


def test_live_bytes_of_a_chain_by_hand():
    graph = graph_of(Chain())
    apart = make_blocks(graph, in_place=False)
    assert live_bytes(apart) == [n * FLOAT for n in (16, 48, 64, 40, 8, 11)]
    together = make_blocks(graph, in_place=True)
    assert live_bytes(together) == [n * FLOAT for n in (16, 48, 32, 40, 8, 11)]
    assert [b.members for b in together if len(b.members) > 1] == [("conv", "relu")]
    assert peak_bytes(together) == 48 * FLOAT


def test_an_operation_of_two_overwrites_the_input_that_dies():
    blocks = make_blocks(graph_of(Residual()))
    # Both die at the add; the first it reads is taken, and the ReLU takes that again.
    assert [b.members for b in blocks] == [("x",), ("conv", "add", "relu")]
    assert peak_bytes(blocks) == 32 * FLOAT


def test_what_is_read_again_is_not_overwritten():
    blocks = make_blocks(graph_of(Function(lambda x: x.relu() + x)))
    assert [b.members for b in blocks] == [("x",), ("relu", "add")]


def test_what_a_view_still_shows_is_not_overwritten():
    def function(x):
        seen = x.relu()
        flat = seen.flatten(1)
        return (seen.tanh().flatten(1) + 1).mean() + flat.mean()

    blocks = make_blocks(graph_of(Function(function)))
    assert not any({"relu", "tanh"} <= set(b.members) for b in blocks)


def test_outputs_live_to_the_end_and_are_not_overwritten():
    graph = graph_of(Function(lambda x: (x.tanh(), x.tanh().relu().mean())))
    assert spans(graph)["tanh"][1] == len(graph.order) - 1
    assert set(graph.outputs) == {"tanh", "mean"}


def test_a_broadcast_is_not_written_over_the_smaller_input():
    graph = graph_of(Function(lambda x: x.mean(dim=(2, 3), keepdim=True) + x.relu()))
    assert ("mean", "add") not in [b.members[-2:] for b in make_blocks(graph)]


def test_halves_of_a_split_are_views():
    def swaps(x):
        halves = x.chunk(2, dim=2)
        return torch.cat([halves[1], halves[0]], 2)

    graph = graph_of(Function(swaps))
    stored = [t.name for t in graph.tensors.values() if not t.is_view]
    assert stored == ["x", "cat"]


@pytest.mark.parametrize("bits", [8, 4])
def test_widths_round_up_to_bytes(bits):
    graph = graph_of(Chain()).with_bits({"fc": bits})
    assert graph.tensors["fc"].bytes == {8: 3, 4: 2}[bits]
    assert graph.tensors["conv"].bytes == 128


def test_a_view_has_the_width_of_its_storage():
    graph = graph_of(Chain()).with_bits({"pool": 4})
    assert graph.tensors["flatten"].bytes == graph.tensors["pool"].bytes == 4


def test_other_widths_are_not_overwritten():
    graph = graph_of(Chain()).with_bits({"conv": 8})
    assert all(len(b.members) == 1 for b in make_blocks(graph))


def test_a_chain_of_nodes_stores_what_the_last_makes():
    graph = graph_of(Chain(), chains=[("conv", "relu")])
    assert graph.order == ("x", "relu", "pool", "flatten", "fc")
    assert graph.operations["relu"].nodes == ("conv", "relu")
    assert plan_memory(graph, Strategy(), alignment=1).arena.bytes == (16 + 32 + 8 + 3) * FLOAT


def test_a_chain_must_be_read_by_its_next_node_alone():
    net = Residual()
    with pytest.raises(GraphMemoryError, match=r"x at .* is read by others than conv"):
        graph_of(net, chains=[("x", "conv")])
    with pytest.raises(GraphMemoryError, match="no nodes"):
        graph_of(net, chains=[("conv", "nothing")])


def test_widths_of_nothing_are_refused():
    graph = graph_of(Chain())
    with pytest.raises(KeyError, match="flatten"):  # a view has no width of its own
        graph.with_bits({"flatten": 8})
    with pytest.raises(ValueError, match="1 bit"):
        graph.with_bits({"fc": 0})


def test_orders_are_checked():
    graph = graph_of(Chain())
    with pytest.raises(ValueError, match="relu stands before"):
        check_order(graph, ("x", "relu", "conv", "pool", "flatten", "fc"))
    with pytest.raises(ValueError, match="each of the 6"):
        lifetimes(graph, ("x", "conv"))


def test_control_flow_on_values_names_its_line():
    def decides(x):
        return x if x.sum() > 0 else -x

    line = decides.__code__.co_firstlineno + 1
    with pytest.raises(TraceError, match=rf"test_liveness\.py:{line}"):
        graph_of(Function(decides))


def test_an_operation_that_makes_two_tensors_names_its_line():
    def sorts(x):
        return x.sort()[0]

    line = sorts.__code__.co_firstlineno + 1
    with pytest.raises(GraphMemoryError, match=rf"test_liveness\.py:{line} makes 2"):
        graph_of(Function(sorts))


def test_an_output_is_not_overwritten_by_the_last_step():
    def function(x):
        kept = x.tanh()
        return kept, kept.relu()

    assert [b.members for b in make_blocks(graph_of(Function(function)))][-1] == ("relu",)
