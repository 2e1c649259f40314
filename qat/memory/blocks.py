"""What an arena holds: blocks of bytes with a time, each for one storage or several in turn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qat.memory.liveness import MemoryGraph, lifetimes, may_overwrite


@dataclass(frozen=True)
class Block:
    """Bytes that are needed from step ``first`` to step ``last``, both included.

    Attributes:
        name: Of the first storage in it.
        bytes: Its size.
        first: Step that writes it.
        last: Last step that reads it.
        members: Storages that lie in it one after another, each written over the one before.
    """

    name: str
    bytes: int
    first: int
    last: int
    members: tuple[str, ...] = ()

    def meets(self, other: "Block") -> bool:
        """Whether there is a step that needs both."""
        return self.first <= other.last and other.first <= self.last


def make_blocks(
    graph: MemoryGraph, order: Sequence[str] | None = None, in_place: bool = True
) -> list[Block]:
    """Blocks of an order of the operations.

    Args:
        graph: The network's tensors.
        order: Names of its operations; None for the network's own order.
        in_place: Elementwise operations write over an input that dies there.
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
    """Bytes needed at each step."""
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
    """The most bytes needed at one step: no arena is smaller."""
    return max(live_bytes(blocks), default=0)
