"""Arenas: by hand, and checked by the verifier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qat.memory.arena import plan_arena
from qat.memory.blocks import Block
from qat.memory.verify import verify_offsets
from tests.memory.networks import blocks


def alive_at_once(given):
    """The lower bound, slowly."""
    return max(sum(b.bytes for b in given if b.first <= t <= b.last) for t in range(20))


@given(blocks(), st.sampled_from([1, 4, 64]))
def test_no_two_live_blocks_overlap(given, alignment):
    arena = plan_arena(given, alignment, tries=20)
    verify_offsets(given, arena.offsets, arena.bytes, alignment)
    padded = sum(-(-b.bytes // alignment) * alignment for b in given)
    assert alive_at_once(given) == arena.lower_bound <= arena.bytes <= padded


def test_a_gap_is_used_again():
    given = [Block("a", 100, 0, 1), Block("b", 50, 0, 3), Block("c", 100, 2, 3)]
    arena = plan_arena(given, 1)
    assert arena.bytes == arena.lower_bound == 150
    assert arena.offsets["a"] == arena.offsets["c"]


FRAGMENTED = [
    *(Block("a", 2, 0, 2), Block("b", 1, 0, 0), Block("c", 2, 0, 1)),
    *(Block("d", 1, 1, 4), Block("e", 2, 2, 3), Block("f", 2, 3, 5), Block("g", 3, 5, 5)),
]


def test_alignment_is_paid_for_and_respected():
    given = [Block("a", 3, 0, 0), Block("b", 3, 0, 0)]
    arena = plan_arena(given, 64)
    assert sorted(arena.offsets.values()) == [0, 64]
    assert (arena.bytes, arena.lower_bound) == (67, 6)


def test_a_plan_is_a_function_of_its_seed():
    assert plan_arena(FRAGMENTED, 1, seed=3) == plan_arena(FRAGMENTED, 1, seed=3)


def test_bad_blocks_are_refused():
    twice = [Block("a", 1, 0, 0), Block("a", 1, 0, 0)]
    with pytest.raises(ValueError, match="share a name"):
        plan_arena(twice)
    with pytest.raises(ValueError, match="end before they start"):
        plan_arena([Block("a", 1, 2, 1)])
    with pytest.raises(ValueError, match="alignment"):
        plan_arena([], 0)


def test_no_blocks_need_no_bytes():
    arena = plan_arena([])
    assert (arena.bytes, arena.lower_bound, arena.excess) == (0, 0, 0.0)
