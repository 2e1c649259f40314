"""Arenas: by hand, against the integer programme, and held by the verifier."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qat.memory.arena import plan_arena
from qat.memory.blocks import Block, peak_bytes
from qat.memory.exact import exact_arena
from qat.memory.verify import verify_offsets


@st.composite
def blocks(draw, most=40, largest=1000):
    spans = st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(0, largest))
    drawn = draw(st.lists(spans, min_size=1, max_size=most))
    return [Block(f"b{i}", size, a, a + n) for i, (a, n, size) in enumerate(drawn)]


def alive_at_once(given):
    """The lower bound, slowly."""
    return max(sum(b.bytes for b in given if b.first <= t <= b.last) for t in range(20))


@given(blocks(), st.sampled_from([1, 4, 64]))
def test_no_two_live_blocks_overlap(given, alignment):
    arena = plan_arena(given, alignment, tries=20)
    verify_offsets(given, arena.offsets, arena.bytes, alignment)
    padded = sum(-(-b.bytes // alignment) * alignment for b in given)
    assert alive_at_once(given) == arena.lower_bound <= arena.bytes <= padded


@settings(max_examples=40)
@given(blocks(most=7, largest=20), st.sampled_from([1, 4]))
def test_exact_is_no_larger_than_the_heuristic(given, alignment):
    heuristic, exact = plan_arena(given, alignment), exact_arena(given, alignment)
    verify_offsets(given, exact.offsets, exact.bytes, alignment)
    assert exact.lower_bound <= exact.bytes <= heuristic.bytes


def smallest(given):
    """Brute force: some order of first fit from below gives an optimum."""

    def height(order):
        offsets = {}
        for block in order:
            at = 0
            placed = [(offsets[b.name], b) for b in order if b.name in offsets]
            for low, other in sorted(placed, key=lambda pair: pair[0]):
                meets = other.first <= block.last and block.first <= other.last
                if meets and low < at + block.bytes and at < low + other.bytes:
                    at = low + other.bytes
            offsets[block.name] = at
        return max(offsets[b.name] + b.bytes for b in order)

    return min(height(order) for order in permutations(given))


@settings(max_examples=25)
@given(blocks(most=5, largest=9))
def test_exact_is_the_smallest_of_all(given):
    given = [b for b in given if b.bytes]
    if given:
        assert exact_arena(given, 1).bytes == smallest(given)


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
    with pytest.raises(ValueError, match="use plan_arena"):
        exact_arena([Block(str(i), 1, 0, 0) for i in range(30)])


def test_no_blocks_need_no_bytes():
    arena = plan_arena([])
    assert (arena.bytes, arena.lower_bound, arena.excess) == (0, 0, 0.0)


def test_peak_of_blocks_by_hand():
    assert peak_bytes([Block("a", 2, 0, 1), Block("b", 3, 1, 2), Block("c", 4, 2, 2)]) == 7
