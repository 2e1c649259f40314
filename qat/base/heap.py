"""Freed memory that the process still holds."""

import ctypes
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
