"""Offsets of blocks in one arena (dynamic storage allocation, an NP-hard problem).

Best fit in a fixed order of the blocks (Pisarchyk and Lee 2020, arXiv:2001.03288, "greedy by
size"): each block takes the smallest sufficient gap between the blocks that were placed before it
and that live at the same time, or the space after them. Four orders are tried. Then a search
changes the best order, mostly by placing the topmost blocks earlier, and stops at the lower bound.

Differs from the paper, which uses only the order by size.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qat.base.errors import InputError
from qat.memory.blocks import Block, peak_bytes

ALIGNMENT = 64
"""In bytes: one cache line, and one load of 512-bit vector instructions."""
TRIES = 1000
"""Orders that the search tries at most; some seconds for 200 blocks."""


@dataclass(frozen=True)
class Arena:
    """Offsets of blocks in one buffer.

    Attributes:
        offsets: Name of a block → its first byte, a multiple of ``alignment``.
        bytes: Size of the arena.
        lower_bound: Largest number of bytes alive at one step, without alignment.
        alignment: Alignment of every offset, in bytes.
    """

    offsets: Mapping[str, int]
    bytes: int
    lower_bound: int
    alignment: int

    @property
    def excess(self) -> float:
        """Size beyond the lower bound, as a fraction of the lower bound."""
        return self.bytes / self.lower_bound - 1 if self.lower_bound else 0.0


SortKey = Callable[[Block], tuple[int, ...]]
ORDERS: Mapping[str, SortKey] = {
    "size": lambda b: (-b.bytes, b.first),
    "area": lambda b: (-b.bytes * (b.last - b.first + 1), b.first),
    "length": lambda b: (b.first - b.last, -b.bytes),
    "start": lambda b: (b.first, -b.bytes),
}


def plan_arena(
    blocks: Sequence[Block], alignment: int = ALIGNMENT, tries: int = TRIES, seed: int = 0
) -> Arena:
    """Return the smallest arena that the search finds.

    Two blocks that live at the same time never overlap in it.

    Args:
        blocks: Blocks with different names.
        alignment: Every offset is a multiple of it, in bytes.
        tries: Number of changed orders that are tried after the four fixed ones.
        seed: Seed of those changes; equal seeds and blocks give equal arenas.

    Raises:
        ValueError: If two blocks share a name, a size is negative, or the alignment is not
            positive.

    Example:
        >>> blocks = [Block("a", 100, 0, 1), Block("b", 50, 0, 3), Block("c", 100, 2, 3)]
        >>> arena = plan_arena(blocks, alignment=1)
        >>> arena.offsets["a"] == arena.offsets["c"], arena.bytes
        (True, 150)
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
    """Place each block in the smallest sufficient gap (best fit), in a given order.

    Args:
        order: Blocks in the order in which they are placed.
        alignment: Every offset is a multiple of it, in bytes.

    Returns:
        Name of a block → its offset in bytes.

    Example:
        >>> place([Block("a", 3, 0, 0), Block("b", 3, 0, 0)], 64)
        {'a': 0, 'b': 64}
    """
    placed: list[tuple[int, Block]] = []
    for block in order:
        offset = _best_gap(block, [(o, b) for o, b in placed if b.meets(block)], alignment)
        placed.append((offset, block))
        placed.sort(key=lambda pair: (pair[0], pair[1].bytes))
    return {block.name: offset for offset, block in placed}


def _best_gap(block: Block, neighbours: Sequence[tuple[int, Block]], alignment: int) -> int:
    """Return the offset of the smallest sufficient gap.

    ``neighbours`` are sorted by offset. The space after them is used if no gap is large enough.
    """
    free, best, narrowest = 0, None, None
    for offset, other in neighbours:
        gap = offset - free
        if gap >= block.bytes and (narrowest is None or gap < narrowest):
            best, narrowest = free, gap
        free = max(free, _rounded(offset + other.bytes, alignment))
    return free if best is None else best


def _best_of_fixed(blocks: Sequence[Block], alignment: int) -> tuple[dict[str, int], list[Block]]:
    orders = [sorted(blocks, key=key) for key in ORDERS.values()]
    placements = [(place(order, alignment), order) for order in orders]
    return min(placements, key=lambda pair: _end(blocks, pair[0]))


def _changed(
    order: Sequence[Block], offsets: Mapping[str, int], chance: random.Random
) -> list[Block]:
    """Move a block that ends at the top to an earlier place, or exchange two blocks."""
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
