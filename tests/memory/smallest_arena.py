"""The smallest arena of a few blocks, by integer programming: the reference of the heuristic.

Minimize the height ``H`` over offsets ``o`` in units of the alignment, with ``o_i + s_i <= H`` and,
for every two blocks that live at the same time, a binary ``z`` that decides which of them is below
(Sekiyama et al. 2018, arXiv:1804.10001, section 4):
``o_i + s_i <= o_j + M (1 - z)`` and ``o_j + s_j <= o_i + M z``.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from qat.base.c_output import silent_c_output
from qat.base.errors import InputError
from qat.memory.arena import ALIGNMENT, Arena, plan_arena
from qat.memory.blocks import Block

MOST_BLOCKS = 24
"""Largest number of blocks; the solver's time grows exponentially."""


class NotProvedError(RuntimeError):
    """The solver reached its time limit before it proved that an arena is the smallest."""


def exact_arena(
    blocks: Sequence[Block], alignment: int = ALIGNMENT, seconds: float = 60.0
) -> Arena:
    """Return the smallest arena of some blocks.

    It is the arena of ``plan_arena`` if that already has the size of the lower bound.

    Args:
        blocks: At most ``MOST_BLOCKS`` blocks, with different names.
        alignment: Every offset is a multiple of it, in bytes.
        seconds: Time limit of the solver.

    Raises:
        ValueError: If there are too many blocks, or blocks or alignment are invalid.
        NotProvedError: If the time limit was reached.
    """
    if len(blocks) > MOST_BLOCKS:
        raise InputError(
            f"{len(blocks)} blocks are too many for integer programming, which takes at most "
            f"{MOST_BLOCKS}: use plan_arena"
        )
    first = plan_arena(blocks, alignment)
    if first.bytes <= first.lower_bound:
        return first
    units = _solve(blocks, [-(-b.bytes // alignment) for b in blocks], seconds)
    offsets = {b.name: int(u) * alignment for b, u in zip(blocks, units, strict=True)}
    size = max(offsets[b.name] + b.bytes for b in blocks)
    # In units both may be equal; then padding of the last block can make the first one smaller.
    return Arena(offsets, size, first.lower_bound, alignment) if size < first.bytes else first


def _solve(blocks: Sequence[Block], sizes: Sequence[int], seconds: float) -> list[int]:
    """Return offsets in units.

    The variables are the offsets, one binary for each pair, and the height.
    """
    count, pairs = len(blocks), _meeting(blocks)
    height, most = count + len(pairs), sum(sizes)
    rows = lil_array((2 * len(pairs) + count, height + 1))
    upper = np.zeros(rows.shape[0])
    for k, (i, j) in enumerate(pairs):
        rows[2 * k, i], rows[2 * k, j], rows[2 * k, count + k] = 1, -1, most
        upper[2 * k] = most - sizes[i]
        rows[2 * k + 1, i], rows[2 * k + 1, j], rows[2 * k + 1, count + k] = -1, 1, -most
        upper[2 * k + 1] = -sizes[j]
    for i in range(count):
        rows[2 * len(pairs) + i, i], rows[2 * len(pairs) + i, height] = 1, -1
        upper[2 * len(pairs) + i] = -sizes[i]
    highest = np.full(height + 1, float(most))
    highest[count:height] = 1
    cost = np.zeros(height + 1)
    cost[height] = 1
    with silent_c_output():
        solved = milp(
            cost,
            integrality=np.ones(height + 1),
            bounds=Bounds(0, highest),
            constraints=LinearConstraint(rows.tocsr(), -np.inf, upper),
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
    if solved.status != 0:
        raise NotProvedError(
            f"not proved within {seconds} s that an arena is the smallest ({solved.message}): "
            "increase seconds"
        )
    return [round(value) for value in solved.x[:count]]


def _meeting(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    numbered = list(enumerate(blocks))
    return [
        (i, j)
        for (i, one), (j, two) in combinations(numbered, 2)
        if one.meets(two) and one.bytes and two.bytes
    ]
