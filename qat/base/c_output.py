"""Hide what libraries written in C print to standard output."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDOUT = 1
_one_at_a_time = threading.Lock()


@contextmanager
def silent_c_output() -> Iterator[None]:
    """Discard the standard output of the whole process inside the block.

    The solver HiGHS prints a debugging line even if its options forbid it. Python's own output is
    flushed before the block, so that none of it is lost.
    """
    with _one_at_a_time:
        try:
            sys.stdout.flush()
            saved_stdout = os.dup(_STDOUT)
        except (OSError, ValueError):  # standard output is closed: nothing to hide
            yield
            return
        devnull = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(devnull, _STDOUT)
            yield
        finally:
            os.dup2(saved_stdout, _STDOUT)
            os.close(saved_stdout)
            os.close(devnull)
