"""Verification of a plan, which follows its bytes; it shares no code with the planners."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from qat.base.errors import InputError
from qat.memory.liveness import MemoryGraph


class PlanError(InputError):
    """A memory plan would destroy a tensor, or is outside its arena or its alignment."""


class TimedBytes(Protocol):
    """Bytes with a name that are needed from ``first`` to ``last``."""

    @property
    def name(self) -> str:
        """Name of the bytes, the key of their offset."""

    @property
    def bytes(self) -> int:
        """Number of bytes."""

    @property
    def first(self) -> int:
        """Step that writes them."""

    @property
    def last(self) -> int:
        """Last step that reads them."""


def verify_offsets(
    blocks: Iterable[TimedBytes], offsets: Mapping[str, int], size: int, alignment: int
) -> None:
    """Check at every step that no two live blocks overlap.

    Args:
        blocks: The blocks.
        offsets: Name of a block → its first byte.
        size: Size of the arena, in bytes.
        alignment: Alignment of every offset, in bytes.

    Raises:
        PlanError: If a block has no offset, is outside the arena or not aligned, or two blocks
            overlap.
    """
    blocks = list(blocks)
    for block in blocks:
        _check_place(block.name, offsets.get(block.name), block.bytes, size, alignment)
    for step in sorted({block.first for block in blocks}):
        alive = [b for b in blocks if b.first <= step <= b.last and b.bytes]
        alive.sort(key=lambda b: offsets[b.name])
        for below, above in pairwise(alive):
            if offsets[below.name] + below.bytes > offsets[above.name]:
                raise PlanError(f"{below.name} and {above.name} overlap at step {step}")


def verify_execution(
    graph: MemoryGraph,
    order: Sequence[str],
    offsets: Mapping[str, int],
    size: int,
    alignment: int,
) -> None:
    """Follow the bytes of a plan: every tensor must be intact when it is read.

    An operation writes its output while it reads its inputs, so the output may overlap no input
    except one that it overwrites completely.

    Args:
        graph: The network's tensors and operations.
        order: Names of the operations in execution order.
        offsets: Name of a storage → its first byte.
        size: Size of the arena, in bytes.
        alignment: Alignment of every offset, in bytes.

    Raises:
        PlanError: If a tensor is read before it is written, or after it was overwritten.
    """
    places: dict[str, tuple[int, int]] = {}
    for name in order:
        operation, output = graph.operations[name], graph.tensors[name]
        read = {graph.tensors[source].storage for source in operation.inputs}
        if lost := sorted(read - places.keys()):
            raise PlanError(f"{name} reads {lost}, which is not in the arena at that step")
        if output.storage != name:
            continue
        _check_place(name, offsets.get(name), output.bytes, size, alignment)
        begin, end = offsets[name], offsets[name] + output.bytes
        hit = {n for n, (low, high) in places.items() if low < end and begin < high}
        allowed = {
            graph.tensors[source].storage
            for source in operation.overwrites
            if places[graph.tensors[source].storage] == (begin, end)
            and graph.tensors[source].stride == output.stride
            and graph.tensors[source].bits == output.bits
        }
        if wrong := sorted(hit & read - allowed):
            raise PlanError(f"{name} is written over {wrong} while it reads that")
        places = {n: place for n, place in places.items() if n not in hit} | {name: (begin, end)}
    if lost := sorted(set(graph.outputs) - places.keys()):
        raise PlanError(f"the network's output {lost} is destroyed before the end")


def _check_place(name: str, offset: int | None, length: int, size: int, alignment: int) -> None:
    if offset is None:
        raise PlanError(f"{name} has no offset")
    if offset % alignment:
        raise PlanError(f"{name} is at byte {offset}, which is no multiple of {alignment}")
    if offset < 0 or offset + length > size:
        end = offset + length
        raise PlanError(f"{name} is at bytes {offset} to {end}, outside the arena's {size} bytes")
