"""Tensors and operations of a network as plain data, and the lifetimes of the tensors.

A step is one operation; step 0 is the input. The output of step ``i`` lives from step ``i`` to the
last step that reads it or a view of it. Inputs and output of an operation live at the same time,
except that an operation may write over an input that no later step reads.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from qat.base.errors import InputError, UnknownNameError


@dataclass(frozen=True)
class MemoryTensor:
    """One tensor of the graph.

    Attributes:
        name: Name of the graph's node.
        shape: Shape, batch axis included.
        stride: Strides in elements.
        start: Offset of its first element within its storage, in elements.
        elements: Number of elements of its storage, which may be another tensor's.
        bits: Stored width of an element.
        storage: Name of the tensor that owns the storage: its own name unless it is a view.
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
        """Bytes of its storage, ``ceil(elements * bits / 8)``."""
        return -(-self.elements * self.bits // 8)

    @property
    def is_view(self) -> bool:
        """Whether another tensor owns its storage."""
        return self.storage != self.name


@dataclass(frozen=True)
class MemoryOperation:
    """One step: one node of the graph, or a chain of nodes that is computed as one.

    Attributes:
        name: Name of its last node and of its output.
        kind: Class of the layer or name of the function, in lower case; ``input`` for the input.
        layer: Module that it calls first, or the module that calls the function.
        nodes: Names of its nodes, in order.
        inputs: Names of the tensors that it reads, each once.
        overwrites: Those inputs that it may write over if no later step reads them.
    """

    name: str
    kind: str
    layer: str
    nodes: tuple[str, ...]
    inputs: tuple[str, ...]
    overwrites: tuple[str, ...] = ()


@dataclass(frozen=True)
class MemoryGraph:
    """The operations of a network in its own order, and their tensors.

    Attributes:
        operations: Name → operation, which computes the tensor of the same name.
        tensors: Name → tensor.
        outputs: Names of the storages that live beyond the last step.
    """

    operations: Mapping[str, MemoryOperation]
    tensors: Mapping[str, MemoryTensor]
    outputs: tuple[str, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the operations, in the network's own order."""
        return tuple(self.operations)

    def with_bits(self, bits: int | Mapping[str, int]) -> "MemoryGraph":
        """Return the same graph with other widths of its tensors.

        Args:
            bits: One width for all tensors, or widths by name of the tensor that owns the storage;
                other tensors keep their width.

        Raises:
            KeyError: If a name is not that of a storage.
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
    """Lifetime of a storage.

    Attributes:
        name: Name of the storage.
        bytes: Its size.
        first: Step that writes it.
        last: Last step that reads it.
    """

    name: str
    bytes: int
    first: int
    last: int


def lifetimes(graph: MemoryGraph, order: Sequence[str] | None = None) -> dict[str, Lifetime]:
    """Return the lifetime of every storage. A view lengthens the life of its storage.

    Args:
        graph: The network's tensors and operations.
        order: Names of its operations; None for the network's own order.

    Raises:
        ValueError: If the order lacks an operation, or an operation precedes one that it reads.
    """
    order = graph.order if order is None else check_order(graph, order)
    lives: dict[str, Lifetime] = {}
    for step, name in enumerate(order):
        for storage in storages(graph, graph.operations[name].inputs):
            lives[storage] = replace(lives[storage], last=step)
        tensor = graph.tensors[name]
        if not tensor.is_view:
            lives[name] = Lifetime(name, tensor.bytes, step, step)
    end = len(order) - 1
    return {n: replace(life, last=end) if n in graph.outputs else life for n, life in lives.items()}


def storages(graph: MemoryGraph, tensors: Iterable[str]) -> set[str]:
    """Return the names of the storages of some tensors.

    Args:
        graph: The network's tensors.
        tensors: Names of tensors.
    """
    return {graph.tensors[name].storage for name in tensors}


def check_order(graph: MemoryGraph, order: Sequence[str]) -> tuple[str, ...]:
    """Check that an order has every operation once, after the operations whose output it reads.

    Args:
        graph: The network's tensors and operations.
        order: Names of its operations.

    Returns:
        The order.

    Raises:
        ValueError: If the order lacks an operation, or an operation precedes one that it reads.
    """
    if sorted(order) != sorted(graph.operations):
        raise InputError(
            f"an order needs each of the {len(graph.operations)} operations once, got {len(order)} "
            f"names; wrong or missing: {sorted(set(order) ^ set(graph.operations))}"
        )
    done: set[str] = set()
    for name in order:
        if late := set(graph.operations[name].inputs) - done:
            raise InputError(f"{name} is before {sorted(late)}, which it reads; put them first")
        done.add(name)
    return tuple(order)


def may_overwrite(graph: MemoryGraph, name: str, live: Mapping[str, Lifetime], step: int) -> str:
    """Return the storage that the output of an operation can overwrite; empty if there is none.

    No later step reads that storage, and it has the layout of the output.

    Args:
        graph: The network's tensors and operations.
        name: Name of the operation.
        live: Lifetimes of the storages.
        step: Step of the operation.
    """
    output = graph.tensors[name]
    for read in graph.operations[name].overwrites:
        source = graph.tensors[read]
        dies = live[source.storage].last == step and source.storage not in graph.outputs
        if dies and fits_over(output, source):
            return source.storage
    return ""


def fits_over(output: MemoryTensor, source: MemoryTensor) -> bool:
    """Return whether each element of an output would replace the same element of an input.

    Args:
        output: Output of an operation.
        source: Input of the operation.
    """
    layout = (source.shape, source.stride, source.start, source.elements, source.bits)
    return layout == (output.shape, output.stride, output.start, output.elements, output.bits)
