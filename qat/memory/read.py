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
    recorder = _Recorder(copy.deepcopy(traced).to(device))
    with torch.no_grad(), evaluating(recorder.module):
        recorder.run(torch.zeros(tuple(input_shape), device=device))
    graph = _LifetimeReader(traced, recorder.values, bits, _chained(traced, chains)).read()
    constants = {
        node.name: recorder.values[node.name]
        for node in traced.graph.nodes
        if node.op not in ("output", "get_attr") and not _tensors(recorder.values[node.name])
    }
    return Traced(traced, graph, constants)


class _Recorder(fx.Interpreter):
    """Records the value of each node."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module, garbage_collect_values=False)
        self.values: dict[str, Any] = {}

    def run_node(self, node: fx.Node) -> Any:
        self.values[node.name] = super().run_node(node)
        return self.values[node.name]


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
        if isinstance(self.values[node.name], tuple | list) and not self._is_split(node, results):
            raise GraphMemoryError(
                f"{node.name} at {where(node)} makes {len(results)} tensors: memory is planned for "
                "operations that make one; write it as one operation a tensor"
            )
        self.tensors[node.name] = self._tensor(node.name, results[0])
        self.operations[node.name] = self._operation(node)

    def _is_split(self, node: fx.Node, results: Sequence[torch.Tensor]) -> bool:
        """Return whether it only returns views of one tensor, all of which are read by index."""
        picked = all(user.target is operator.getitem for user in node.users)
        owners = {_storage(t) for t in results}
        return picked and len(owners) == 1 and owners <= self.owners.keys()

    def _tensor(self, name: str, value: torch.Tensor) -> MemoryTensor:
        owner = self.owners.setdefault(_storage(value), name)
        elements = value.untyped_storage().nbytes() // value.element_size()
        bits = self.bits if value.dtype.is_floating_point else 8 * value.element_size()
        place = (tuple(value.shape), tuple(value.stride()), int(value.storage_offset()))
        return MemoryTensor(name, *place, elements, bits, owner)

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


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, torch.Size) or not isinstance(value, tuple | list):
        return []
    return [t for item in value for t in _tensors(item)]


def _storage(value: torch.Tensor) -> int:
    return int(value.untyped_storage()._cdata)


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
