"""Tensors of a network as plain data: their sizes, who makes them, who reads them, and when.

Time is counted in operations: step 0 makes the input, the tensor that step ``i`` makes lives from
``i`` on until the last step that reads it or a view of it. Inputs and output of an operation live
together, unless the operation may write over an input that dies there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from qat.base.errors import InputError, UnknownNameError


@dataclass(frozen=True)
class Tensor:
    """One value of the graph.

    Attributes:
        name: Of the graph's node.
        shape: Batch axis included.
        stride: In elements.
        start: Offset of its first element within its storage, in elements.
        elements: Of its storage; a view has its own shape, but the storage of another tensor.
        bits: Width that an element is stored at.
        storage: Name of the tensor that owns the storage; its own name unless it is a view.
    """

    name: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    start: int
    elements: int
    bits: int
    storage: str

    @property
    def bytes(self) -> int:
        """Of its storage, ``ceil(elements * bits / 8)``."""
        return -(-self.elements * self.bits // 8)

    @property
    def is_view(self) -> bool:
        """Whether it owns no storage."""
        return self.storage != self.name


@dataclass(frozen=True)
class MemoryOperation:
    """One step: one node of the graph, or a chain of nodes that is computed as one.

    Attributes:
        name: Of its last node, as its output.
        kind: What it does, ``input`` for the input.
        layer: Module that it calls first, or that it is called in.
        nodes: In order.
        inputs: Names of the tensors it reads, each once.
        overwrites: Those among them that its output may be written over, once nobody reads them.
    """

    name: str
    kind: str
    layer: str
    nodes: tuple[str, ...]
    inputs: tuple[str, ...]
    overwrites: tuple[str, ...] = ()


@dataclass(frozen=True)
class MemoryGraph:
    """Operations in their first order, and the tensors they make.

    Attributes:
        operations: Name → operation; it makes the tensor of the same name.
        tensors: Name → tensor.
        outputs: Names of the storages that outlive the last step.
    """

    operations: Mapping[str, MemoryOperation]
    tensors: Mapping[str, Tensor]
    outputs: tuple[str, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the operations, as the network computes them."""
        return tuple(self.operations)

    def with_bits(self, bits: int | Mapping[str, int]) -> "MemoryGraph":
        """The same graph, its tensors stored at other widths.

        Args:
            bits: For all tensors, or by name of the tensor that owns the storage; one without a
                name here keeps its width.

        Raises:
            KeyError: If a name is of no storage.
            ValueError: If a width is not positive.
        """
        owners = [name for name, t in self.tensors.items() if not t.is_view]
        widths = dict.fromkeys(owners, bits) if isinstance(bits, int) else dict(bits)
        if unknown := sorted(widths.keys() - set(owners)):
            raise UnknownNameError(f"no stored tensors {unknown}; there are {', '.join(owners)}")
        if wrong := {name: width for name, width in widths.items() if width < 1}:
            raise InputError(f"widths must be 1 bit or more, got {wrong}")
        tensors = {
            name: replace(t, bits=widths.get(t.storage, t.bits)) for name, t in self.tensors.items()
        }
        return replace(self, tensors=tensors)


@dataclass(frozen=True)
class Lifetime:
    """When a storage is needed: steps ``first`` to ``last``, both included."""

    name: str
    bytes: int
    first: int
    last: int


def lifetimes(graph: MemoryGraph, order: Sequence[str] | None = None) -> dict[str, Lifetime]:
    """Of every storage, in an order of the operations; views lengthen the life of what they show.

    Raises:
        ValueError: If the order is not one of the graph's operations, inputs first.
    """
    order = graph.order if order is None else check_order(graph, order)
    found: dict[str, Lifetime] = {}
    for step, name in enumerate(order):
        for storage in storages(graph, graph.operations[name].inputs):
            found[storage] = replace(found[storage], last=step)
        tensor = graph.tensors[name]
        if not tensor.is_view:
            found[name] = Lifetime(name, tensor.bytes, step, step)
    end = len(order) - 1
    return {n: replace(life, last=end) if n in graph.outputs else life for n, life in found.items()}


def storages(graph: MemoryGraph, tensors: Iterable[str]) -> set[str]:
    """Names of the storages that these tensors lie in."""
    return {graph.tensors[name].storage for name in tensors}


def check_order(graph: MemoryGraph, order: Sequence[str]) -> tuple[str, ...]:
    """The order, if every operation stands in it once and behind those it reads from.

    Raises:
        ValueError: If not.
    """
    if sorted(order) != sorted(graph.operations):
        raise InputError(
            f"an order needs each of the {len(graph.operations)} operations once, got {len(order)} "
            f"names; wrong or missing: {sorted(set(order) ^ set(graph.operations))}"
        )
    done: set[str] = set()
    for name in order:
        if late := set(graph.operations[name].inputs) - done:
            raise InputError(f"{name} stands before {sorted(late)}, which it reads; put them first")
        done.add(name)
    return tuple(order)


def may_overwrite(graph: MemoryGraph, name: str, live: Mapping[str, Lifetime], step: int) -> str:
    """The storage that an operation's output can take over at its step; empty if there is none.

    That storage dies at this step, has the size of the output, and is read in the output's layout.
    """
    output = graph.tensors[name]
    for read in graph.operations[name].overwrites:
        given = graph.tensors[read]
        dies = live[given.storage].last == step and given.storage not in graph.outputs
        if dies and fits_over(output, given):
            return given.storage
    return ""


def fits_over(output: Tensor, given: Tensor) -> bool:
    """Whether element ``i`` of an output would lie where element ``i`` of the input lies."""
    layout = (given.shape, given.stride, given.start, given.elements, given.bits)
    return layout == (output.shape, output.stride, output.start, output.elements, output.bits)
