"""The smallest arenas, against the heuristic and against every order."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qat.memory.arena import plan_arena
from qat.memory.blocks import Block
from qat.memory.verify import verify_offsets
from tests.memory.networks import blocks
from tests.memory.smallest_arena import NotProvedError, exact_arena


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


def test_too_many_blocks_are_refused_and_too_little_time_is_an_error():
    with pytest.raises(ValueError, match=r"30 blocks are too many.*use plan_arena"):
        exact_arena([Block(str(i), 1, 0, 0) for i in range(30)])
    unaligned = [Block(str(i), 3 + i, i % 3, i % 3 + 2) for i in range(20)]
    with pytest.raises(NotProvedError, match=r"within 0\.0 s .*increase seconds"):
        exact_arena(unaligned, 64, seconds=0.0)
