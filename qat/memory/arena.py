"""Offsets of blocks in one arena (dynamic storage allocation, an NP-hard problem).

Best fit in a fixed order of the blocks (Pisarchyk and Lee 2020, arXiv:2001.03288, "greedy by
size"): a block takes the smallest gap that holds it between the blocks placed before it that live
at the same time, else the end. Several orders are tried, then the best one is improved by placing
first what ends at its top; a search stops at the lower bound. Departs from the paper in trying
more orders than the one by size.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qat.base.errors import InputError
from qat.memory.blocks import Block, peak_bytes

ALIGNMENT = 64
"""Bytes: a cache line, and what vector instructions of 512 bits load."""
TRIES = 1000
"""Orders to place before the search gives up on the lower bound; some seconds for 200 blocks."""


@dataclass(frozen=True)
class Arena:
    """Where blocks lie.

    Attributes:
        offsets: Name of a block → its first byte, a multiple of ``alignment``.
        bytes: Size of the arena.
        lower_bound: Most bytes alive at one step, without alignment.
        alignment: In bytes.
    """

    offsets: Mapping[str, int]
    bytes: int
    lower_bound: int
    alignment: int

    @property
    def excess(self) -> float:
        """How much larger it is than the lower bound, as a fraction of that."""
        return self.bytes / self.lower_bound - 1 if self.lower_bound else 0.0


Key = Callable[[Block], tuple[int, ...]]
ORDERS: Mapping[str, Key] = {
    "size": lambda b: (-b.bytes, b.first),
    "area": lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
    "length": lambda b: (b.first - b.last, -b.bytes),
    "start": lambda b: (b.first, -b.bytes),
}


def plan_arena(
    blocks: Sequence[Block], alignment: int = ALIGNMENT, tries: int = TRIES, seed: int = 0
) -> Arena:
    """Offsets at which no two blocks that live together overlap, in as few bytes as found.

    Args:
        blocks: With names of their own.
        alignment: Every offset is a multiple of it, in bytes.
        tries: Changed orders to place after the four fixed ones.
        seed: Of those changes; the result is a function of it and the blocks.

    Raises:
        ValueError: If two blocks share a name, a size is negative, or the alignment is not
            positive.
    """
    _check(blocks, alignment)
    bound = peak_bytes(blocks)
    best, order = _best_of_fixed(blocks, alignment)
    chance = random.Random(seed)
    goal = _rounded(bound, alignment)
    for _ in range(tries if len(blocks) > 2 else 0):
        if _end(blocks, best) <= goal:
            break
        changed = _changed(order, best, chance)
        offsets = place(changed, alignment)
        if _end(blocks, offsets) <= _end(blocks, best):
            best, order = offsets, changed
    return Arena(best, _end(blocks, best), bound, alignment)


def place(order: Sequence[Block], alignment: int) -> dict[str, int]:
    """Best fit: each block into the smallest gap that holds it among those it lives with."""
    placed: list[tuple[int, Block]] = []
    for block in order:
        offset = _best_gap(block, [(o, b) for o, b in placed if b.meets(block)], alignment)
        placed.append((offset, block))
        placed.sort(key=lambda pair: (pair[0], pair[1].bytes))
    return {block.name: offset for offset, block in placed}


def _best_gap(block: Block, neighbours: Sequence[tuple[int, Block]], alignment: int) -> int:
    """``neighbours`` by offset; the end behind them is the gap of last resort."""
    free, best, narrowest = 0, None, None
    for offset, other in neighbours:
        gap = offset - free
        if gap >= block.bytes and (narrowest is None or gap < narrowest):
            best, narrowest = free, gap
        free = max(free, _rounded(offset + other.bytes, alignment))
    return free if best is None else best


def _best_of_fixed(blocks: Sequence[Block], alignment: int) -> tuple[dict[str, int], list[Block]]:
    orders = [sorted(blocks, key=key) for key in ORDERS.values()]
    found = [(place(order, alignment), order) for order in orders]
    return min(found, key=lambda pair: _end(blocks, pair[0]))


def _changed(
    order: Sequence[Block], offsets: Mapping[str, int], chance: random.Random
) -> list[Block]:
    """A block that ends at the top is placed earlier, or two blocks change places."""
    changed = list(order)
    top = max(offsets[b.name] + b.bytes for b in changed)
    highest = [i for i, b in enumerate(changed) if offsets[b.name] + b.bytes == top and i > 0]
    if highest and chance.random() < 0.5:
        index = chance.choice(highest)
        changed.insert(chance.randrange(index), changed.pop(index))
    else:
        one, two = chance.sample(range(len(changed)), 2)
        changed[one], changed[two] = changed[two], changed[one]
    return changed


def _end(blocks: Sequence[Block], offsets: Mapping[str, int]) -> int:
    return max((offsets[b.name] + b.bytes for b in blocks), default=0)


def _rounded(value: int, alignment: int) -> int:
    return -(-value // alignment) * alignment


def _check(blocks: Sequence[Block], alignment: int) -> None:
    if alignment < 1:
        raise InputError(f"alignment must be 1 byte or more, got {alignment}")
    if len({b.name for b in blocks}) < len(blocks):
        raise InputError("two blocks share a name; offsets are by name, give each its own")
    if wrong := [b.name for b in blocks if b.bytes < 0 or b.last < b.first]:
        raise InputError(f"blocks {wrong} have a negative size or end before they start")
