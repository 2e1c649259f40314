"""The :class:`~qat.memory.liveness.MemoryGraph` of a network, without computing any value.

The traced network runs once on torch's ``meta`` device, whose tensors have shapes, strides and
storages but no values: tensors that share a storage there are views. Tracing has turned operations
in place into functions, so that the planner decides which tensors are overwritten.
"""

import copy
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import fx, nn

from qat.base.errors import InputError
from qat.core.evaluation_mode import evaluating
from qat.core.network_tensors import cpu_copy
from qat.graph.rewrite import scope
from qat.graph.trace import trace, where
from qat.memory.liveness import MemoryGraph, MemoryOperation, MemoryTensor

_ACTIVATIONS = (
    *("relu", "relu6", "silu", "hardswish", "sigmoid", "hardsigmoid", "tanh", "gelu", "elu"),
    *("leaky_relu", "leakyrelu", "hardtanh", "clamp"),
)
_OF_TWO = ("add", "iadd", "sub", "isub", "mul", "imul")
ELEMENTWISE = frozenset((*_ACTIVATIONS, *_OF_TWO, "batchnorm1d", "batchnorm2d", "quanttensor"))
"""Operations whose output element ``i`` depends only on element ``i`` of their inputs."""


class GraphMemoryError(InputError):
    """The memory of a network cannot be planned; the message names the line."""


@dataclass(frozen=True)
class Traced:
    """A traced network and its memory graph.

    Attributes:
        module: The traced copy.
        graph: Its tensors and operations.
        constants: Name of a node that is not a tensor (a size) → its value for this input shape.
    """

    module: fx.GraphModule
    graph: MemoryGraph
    constants: Mapping[str, Any] = field(default_factory=dict)


def read_memory(
    net: nn.Module,
    input_shape: Sequence[int],
    bits: int = 32,
    chains: Sequence[Sequence[str]] = (),
    device: str = "meta",
) -> Traced:
    """Trace a network and list its tensors for an input shape.

    Args:
        net: A network, or one already traced.
        input_shape: Shape of a batch, batch axis included.
        bits: Stored width of floating-point tensors; other tensors keep theirs.
        chains: Chains of nodes that are computed as one operation, such as a convolution, its
            batch norm and its ReLU. Only the output of the last node is stored.
        device: ``meta`` computes no value. ``cpu`` computes a batch of zeros, which layers that
            read values (quantized layers) need.

    Raises:
        TraceError: If the control flow depends on values; the message names the line.
        GraphMemoryError: If an operation returns several tensors (the message names the line), or
            a chain is not one.

    Example:
        >>> graph = read_memory(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (2, 4)).graph
        >>> [(tensor.shape, tensor.bytes) for tensor in graph.tensors.values()]
        [((2, 4), 32), ((2, 3), 24), ((2, 3), 24)]
    """
    traced = net if isinstance(net, fx.GraphModule) else trace(net)
    own = cpu_copy(traced) if device == "cpu" else copy.deepcopy(traced).to(device)
    recorder = _Recorder(own)
    with torch.no_grad(), evaluating(recorder.module):
        recorder.run(torch.zeros(tuple(input_shape), device=device))
    graph = _LifetimeReader(traced, recorder.values, bits, _chained(traced, chains)).read()
    constants = {
        node.name: recorder.values[node.name]
        for node in traced.graph.nodes
        if node.op not in ("output", "get_attr") and not _tensors(recorder.values[node.name])
    }
    return Traced(traced, graph, constants)


@dataclass(frozen=True)
class _Seen:
    """A tensor that was computed, without its values.

    Attributes:
        place: Shape, strides and offset into its storage.
        elements: Elements of the whole storage.
        element_bytes: Bytes of an element.
        is_float: Whether elements are floating-point numbers.
        storage: Number of its storage: equal numbers are views of one memory.
    """

    place: tuple[tuple[int, ...], tuple[int, ...], int]
    elements: int
    element_bytes: int
    is_float: bool
    storage: int


class _Recorder(fx.Interpreter):
    """Records the value of each node; of tensors the facts, so that they are freed when unused."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.values: dict[str, Any] = {}
        self.numbers: dict[fx.Node, dict[int, int]] = {}  # node → address of a storage → its number
        self.count = 0

    def run_node(self, node: fx.Node) -> Any:
        value = super().run_node(node)
        # An address is that of one storage as long as a tensor with it is alive.
        alive = {a: n for other in self.env for a, n in self.numbers.get(other, {}).items()}
        self.numbers[node] = {}
        self.values[node.name] = self._seen(value, node, alive)
        return value

    def _seen(self, value: Any, node: fx.Node, alive: dict[int, int]) -> Any:
        if _is_several(value):
            seen = tuple(self._seen(item, node, alive) for item in value)
            return seen if _tensors(seen) else value
        if not isinstance(value, torch.Tensor):
            return value
        storage = value.untyped_storage()
        address = int(storage._cdata)
        if address not in alive:
            alive[address] = self.count = self.count + 1
        self.numbers[node][address] = alive[address]
        return _Seen(
            (tuple(value.shape), tuple(value.stride()), int(value.storage_offset())),
            storage.nbytes() // value.element_size(),
            value.element_size(),
            value.dtype.is_floating_point,
            alive[address],
        )


class _LifetimeReader:
    """Builds the memory graph from the recorded values."""

    def __init__(
        self,
        traced: fx.GraphModule,
        values: Mapping[str, Any],
        bits: int,
        chains: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.traced, self.values, self.bits, self.chains = traced, values, bits, chains
        self.inside = {n: chain[-1] for chain in chains.values() for n in chain[:-1]}
        self.owners: dict[int, str] = {}
        self.tensors: dict[str, MemoryTensor] = {}
        self.operations: dict[str, MemoryOperation] = {}
        self.nodes = {node.name: node for node in traced.graph.nodes}

    def read(self) -> MemoryGraph:
        outputs: tuple[str, ...] = ()
        for node in self.nodes.values():
            if node.op == "output":
                read = [n.name for n in node.all_input_nodes if n.name in self.tensors]
                outputs = tuple(dict.fromkeys(self.tensors[n].storage for n in read))
            elif node.op != "get_attr" and node.name not in self.inside:
                self._add(node)
        return MemoryGraph(self.operations, self.tensors, outputs)

    def _add(self, node: fx.Node) -> None:
        results = _tensors(self.values[node.name])
        if not results:
            return
        if _is_several(self.values[node.name]) and not self._is_split(node, results):
            raise GraphMemoryError(
                f"{node.name} at {where(node)} makes {len(results)} tensors: memory is planned for "
                "operations that make one; write it as one operation a tensor"
            )
        self.tensors[node.name] = self._tensor(node.name, results[0])
        self.operations[node.name] = self._operation(node)

    def _is_split(self, node: fx.Node, results: Sequence[_Seen]) -> bool:
        """Return whether it only returns views of one tensor, all of which are read by index."""
        picked = all(user.target is operator.getitem for user in node.users)
        owners = {seen.storage for seen in results}
        return picked and len(owners) == 1 and owners <= self.owners.keys()

    def _tensor(self, name: str, seen: _Seen) -> MemoryTensor:
        owner = self.owners.setdefault(seen.storage, name)
        bits = self.bits if seen.is_float else 8 * seen.element_bytes
        return MemoryTensor(name, *seen.place, seen.elements, bits, owner)

    def _operation(self, node: fx.Node) -> MemoryOperation:
        chain = self.chains.get(node.name, (node.name,))
        first = self.nodes[chain[0]]
        read = dict.fromkeys(
            source.name
            for name in chain
            for source in self.nodes[name].all_input_nodes
            if source.name in self.tensors and source.name not in chain
        )
        over = tuple(read) if all(self._is_elementwise(self.nodes[n]) for n in chain) else ()
        kind = "input" if first.op == "placeholder" else _kind(first, self.traced)
        layer = str(first.target) if first.op == "call_module" else scope(first)
        return MemoryOperation(node.name, kind, layer, chain, tuple(read), over)

    def _is_elementwise(self, node: fx.Node) -> bool:
        return node.op != "placeholder" and _kind(node, self.traced) in ELEMENTWISE


def _kind(node: fx.Node, traced: fx.GraphModule) -> str:
    if node.op == "call_module":
        return type(traced.get_submodule(str(node.target))).__name__.lower()
    name = node.target if isinstance(node.target, str) else node.target.__name__
    return name.strip("_").lower()


def _tensors(value: Any) -> list[_Seen]:
    if isinstance(value, _Seen):
        return [value]
    return [seen for item in value for seen in _tensors(item)] if _is_several(value) else []


def _is_several(value: Any) -> bool:
    return isinstance(value, tuple | list) and not isinstance(value, torch.Size)


def _chained(traced: fx.GraphModule, chains: Sequence[Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return each chain by its last node.

    Each tensor inside a chain must be read by the next node only.
    """
    nodes = {node.name: node for node in traced.graph.nodes}
    for chain in chains:
        if unknown := [name for name in chain if name not in nodes]:
            raise GraphMemoryError(f"no nodes {unknown} in the graph; it has {', '.join(nodes)}")
        for name, after in pairwise(chain):
            if {user.name for user in nodes[name].users} != {after}:
                raise GraphMemoryError(
                    f"{name} at {where(nodes[name])} is read by others than {after}: end the chain "
                    "there"
                )
    return {chain[-1]: tuple(chain) for chain in chains}
