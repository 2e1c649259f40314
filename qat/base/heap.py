"""Memory of the process: freed memory that it still holds, and objects that stay."""

import ctypes
import gc
import sys
from contextlib import suppress


def trim_heap() -> None:
    """Return freed memory to the system, if the C library can (``malloc_trim`` of glibc).

    While a stage runs, the next batch reuses freed memory. At the end of the stage the same memory
    would only raise the peak of the next stage.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # the C library musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)


def keep_objects() -> None:
    """Leave all present objects out of Python's searches for unreachable ones.

    A search takes a quarter of a second with the modules of a run, and drawing causes one for
    each figure. Call it when everything that stays is loaded.
    """
    gc.collect()
    gc.freeze()
