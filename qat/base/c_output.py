"""What libraries written in C print past Python, kept off the screen."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDOUT = 1
_one_at_a_time = threading.Lock()


@contextmanager
def silent_c_output() -> Iterator[None]:
    """Send the process's standard output to nowhere inside the block.

    HiGHS prints a line of its debugging from its core, whatever its options say. Python's own
    output is flushed before, so that nothing of it is lost.
    """
    with _one_at_a_time:
        try:
            sys.stdout.flush()
            kept = os.dup(_STDOUT)
        except (OSError, ValueError):  # closed: there is nothing to keep silent
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, _STDOUT)
            yield
        finally:
            os.dup2(kept, _STDOUT)
            os.close(kept)
            os.close(nowhere)
