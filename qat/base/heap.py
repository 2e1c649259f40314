"""Freed memory that the process still holds."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

COLLECT_BYTES = 128 * 2**20
"""Growth of the resident memory from which reference cycles are searched for.

Traced and exported networks are parts of such cycles, with all their weights. The search takes
tenths of a second, which a small network's stage need not spend.
"""


@contextmanager
def memory_released() -> Iterator[None]:
    """After the block, return to the system what it freed, and free cycles if it left much."""
    before = resident_bytes()
    yield
    trim_heap()
    if resident_bytes() - before > COLLECT_BYTES:
        gc.collect()
        trim_heap()


def resident_bytes() -> int:
    """Bytes of this process that are in memory now; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def trim_heap() -> None:
    """Return freed memory to the system, if the C library can (``malloc_trim`` of glibc).

    While a stage runs, the next batch reuses freed memory. At the end of the stage the same memory
    would only raise the peak of the next stage.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # the C library musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)
