"""Whether a plan can be executed, found by following the bytes; no code is shared with planners."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from qat.base.errors import InputError
from qat.memory.liveness import MemoryGraph


class PlanError(InputError):
    """A memory plan that would destroy a tensor, leave its arena or its alignment."""


class TimedBytes(Protocol):
    """Bytes with a name that are needed from ``first`` to ``last``."""

    @property
    def name(self) -> str:
        """Key of its offset."""

    @property
    def bytes(self) -> int:
        """Its size."""

    @property
    def first(self) -> int:
        """Step that writes it."""

    @property
    def last(self) -> int:
        """Last step that reads it."""


def verify_offsets(
    blocks: Iterable[TimedBytes], offsets: Mapping[str, int], size: int, alignment: int
) -> None:
    """Hold every two blocks that are needed at a step apart, step by step.

    Raises:
        PlanError: If one has no offset, two overlap, one leaves the arena or is not aligned.
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
    """Follow the bytes of a plan: what is read must still be there.

    An operation's output is written while its inputs are read, so it may touch none of them but
    one that it overwrites in full.

    Args:
        graph: The network's tensors.
        order: Of the operations.
        offsets: Name of a storage → its first byte.
        size: Of the arena, in bytes.
        alignment: In bytes.

    Raises:
        PlanError: If a tensor is read after it was destroyed, or before it was made.
    """
    there: dict[str, tuple[int, int]] = {}
    for name in order:
        operation, made = graph.operations[name], graph.tensors[name]
        read = {graph.tensors[given].storage for given in operation.inputs}
        if lost := sorted(read - there.keys()):
            raise PlanError(f"{name} reads {lost}, which is not in the arena at that step")
        if made.storage != name:
            continue
        _check_place(name, offsets.get(name), made.bytes, size, alignment)
        begin, end = offsets[name], offsets[name] + made.bytes
        hit = {n for n, (low, high) in there.items() if low < end and begin < high}
        allowed = {
            graph.tensors[given].storage
            for given in operation.overwrites
            if there[graph.tensors[given].storage] == (begin, end)
            and graph.tensors[given].stride == made.stride
            and graph.tensors[given].bits == made.bits
        }
        if wrong := sorted(hit & read - allowed):
            raise PlanError(f"{name} is written over {wrong} while it reads that")
        there = {n: place for n, place in there.items() if n not in hit} | {name: (begin, end)}
    if lost := sorted(set(graph.outputs) - there.keys()):
        raise PlanError(f"the network's output {lost} is destroyed before the end")


def _check_place(name: str, offset: int | None, length: int, size: int, alignment: int) -> None:
    if offset is None:
        raise PlanError(f"{name} has no offset")
    if offset % alignment:
        raise PlanError(f"{name} lies at byte {offset}, no multiple of {alignment}")
    if offset < 0 or offset + length > size:
        raise PlanError(f"{name} lies at bytes {offset} to {offset + length} of {size}")
