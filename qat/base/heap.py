"""Memory that the process keeps though nothing lies in it any more."""

import ctypes
import sys
from contextlib import suppress


def trim_heap() -> None:
    """Hand back what is free, where the C library can (glibc's ``malloc_trim``).

    While a stage runs, keeping freed memory for the next batch saves making its pages anew; at the
    stage's end it would only add to the peak of the next.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # musl has none
            ctypes.CDLL(None).malloc_trim(0)
