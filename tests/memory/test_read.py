"""What is read from a network: views, chains, values that are no tensors, and refusals."""

import pytest
import torch

from qat.graph.trace import TraceError
from qat.memory.read import GraphMemoryError, read_memory
from qat.memory.strategies import Strategy, plan_memory
from tests.memory.networks import FLOAT, Chain, Function, Residual, graph_of


def test_halves_of_a_split_are_views():
    def swaps(x):
        halves = x.chunk(2, dim=2)
        return torch.cat([halves[1], halves[0]], 2)

    graph = graph_of(Function(swaps))
    stored = [t.name for t in graph.tensors.values() if not t.is_view]
    assert stored == ["x", "cat"]


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


def test_control_flow_on_values_names_its_line():
    def decides(x):
        return x if x.sum() > 0 else -x

    line = decides.__code__.co_firstlineno + 1
    with pytest.raises(TraceError, match=rf"test_read\.py:{line}"):
        graph_of(Function(decides))


def test_an_operation_that_makes_two_tensors_names_its_line():
    def sorts(x):
        return x.sort()[0]

    line = sorts.__code__.co_firstlineno + 1
    with pytest.raises(GraphMemoryError, match=rf"test_read\.py:{line} makes 2"):
        graph_of(Function(sorts))


def test_sizes_are_constants_and_nothing_is_computed():
    def function(x):
        assert not isinstance(x, torch.Tensor)  # a proxy of the trace alone
        return x.reshape(x.size(0), -1)

    traced = read_memory(Function(function), (5, 1, 4, 4))
    assert traced.constants == {"size": 5}
    assert list(traced.graph.operations) == ["x", "reshape"]
    assert traced.graph.tensors["reshape"].storage == "x"


def test_kinds_layers_and_inputs_that_may_be_overwritten():
    operations = graph_of(Residual()).operations
    rows = {o.name: (o.kind, o.layer, o.inputs, o.overwrites) for o in operations.values()}
    assert rows == {
        "x": ("input", "", (), ()),
        "conv": ("conv2d", "conv", ("x",), ()),
        "add": ("add", "", ("conv", "x"), ("conv", "x")),
        "relu": ("relu", "", ("add",), ("add",)),
    }


def test_a_view_has_a_layout_of_its_own_in_the_storage_of_another():
    graph = graph_of(Function(lambda x: x[:, :, 2:].relu()))
    view = graph.tensors["getitem"]
    assert (view.shape, view.stride, view.start) == ((1, 1, 2, 4), (16, 16, 4, 1), 8)
    assert (view.elements, view.storage, graph.tensors["relu"].elements) == (16, "x", 8)


def test_views_of_two_storages_are_two_tensors():
    with pytest.raises(GraphMemoryError, match="makes 2 tensors"):
        graph_of(Function(lambda x: torch.broadcast_tensors(x, x.relu())[0]))
