"""Freed memory goes back to the system."""

import ctypes
import gc
import sys
import weakref
from pathlib import Path

import pytest

from qat.base import heap
from qat.base.heap import memory_released, trim_heap


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def has_malloc_trim():
    return sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "malloc_trim")


@pytest.mark.skipif(not has_malloc_trim(), reason="only glibc can return freed memory")
def test_memory_that_was_freed_is_returned():
    """40 MB in blocks that are too small to be mapped one by one; the last pins the heap's top."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    blocks = [ctypes.c_void_p(library.malloc(60_000)) for _ in range(700)]
    for block in blocks:
        ctypes.memset(block, 1, 60_000)
    for block in blocks[:-1]:
        library.free(block)
    before = resident_bytes()
    trim_heap()
    returned = before - resident_bytes()
    library.free(blocks[-1])
    assert returned > 30e6


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("there is no malloc_trim"))
    trim_heap()


class Node:
    """An object of a cycle; a weak reference shows when it is gone."""


def cycle():
    node = Node()
    node.itself = node
    return weakref.ref(node)


@pytest.mark.parametrize(("growth", "gone"), [(2**40, True), (1, False)])
def test_cycles_are_freed_only_after_much_growth(monkeypatch, growth, gone):
    sizes = iter([1000, 1000 + growth])
    monkeypatch.setattr(heap, "resident_bytes", lambda: next(sizes))
    gc.disable()
    try:
        with memory_released():
            reference = cycle()
        assert (reference() is None) == gone
    finally:
        gc.enable()


def test_resident_bytes_follow_what_is_in_use():
    before = heap.resident_bytes()
    block = b"1" * 50_000_000
    grown = heap.resident_bytes() - before
    assert (49e6 < grown < 60e6) or before == 0
    assert len(block) == 50_000_000
