"""Blocks of an arena: bytes with a lifetime, for one storage or for several in turn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qat.memory.liveness import MemoryGraph, lifetimes, may_overwrite


@dataclass(frozen=True)
class Block:
    """Bytes that are needed from step ``first`` to step ``last``, both included.

    Attributes:
        name: Name of its first storage.
        bytes: Size.
        first: Step that writes it.
        last: Last step that reads it.
        members: Storages that use the bytes in turn, each written over the one before.
    """

    name: str
    bytes: int
    first: int
    last: int
    members: tuple[str, ...] = ()

    def meets(self, other: "Block") -> bool:
        """Return whether a step needs both blocks.

        Example:
            >>> Block("a", 1, 0, 2).meets(Block("b", 1, 2, 3))
            True
        """
        return self.first <= other.last and other.first <= self.last


def make_blocks(
    graph: MemoryGraph, order: Sequence[str] | None = None, in_place: bool = True
) -> list[Block]:
    """Return the blocks of a graph whose operations run in some order.

    Args:
        graph: The network's tensors and operations.
        order: Names of its operations; None for the network's own order.
        in_place: Whether elementwise operations write over an input that no later step reads.

    Raises:
        ValueError: If the order lacks an operation, or an operation precedes one that it reads.
    """
    order = graph.order if order is None else tuple(order)
    live = lifetimes(graph, order)
    blocks: dict[str, Block] = {}
    block_of: dict[str, str] = {}
    for step, name in enumerate(order):
        if name not in live:
            continue
        life = live[name]
        over = may_overwrite(graph, name, live, step) if in_place else ""
        home = block_of[name] = block_of[over] if over else name
        members = (*blocks[home].members, name) if over else (name,)
        first = blocks[home].first if over else life.first
        blocks[home] = Block(home, life.bytes, first, life.last, members)
    return list(blocks.values())


def live_bytes(blocks: Iterable[Block]) -> list[int]:
    """Return the number of bytes alive at each step.

    Example:
        >>> live_bytes([Block("a", 2, 0, 1), Block("b", 3, 1, 2)])
        [2, 5, 3]
    """
    blocks = list(blocks)
    change = [0] * (max((b.last for b in blocks), default=-1) + 2)
    for block in blocks:
        change[block.first] += block.bytes
        change[block.last + 1] -= block.bytes
    total, steps = 0, []
    for difference in change[:-1]:
        total += difference
        steps.append(total)
    return steps


def peak_bytes(blocks: Iterable[Block]) -> int:
    """Return the largest number of bytes alive at one step; no arena is smaller."""
    return max(live_bytes(blocks), default=0)
