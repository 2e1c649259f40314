"""Hide what libraries written in C print."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDOUT = 1
_STDERR = 2
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


@contextmanager
def without_c_warning(words: str) -> Iterator[None]:
    """Discard the lines of standard error with certain words inside the block, and no others.

    The other lines are printed when the block ends. Only one block at a time can be open.

    Args:
        words: Part of the lines to discard.
    """
    try:
        sys.stderr.flush()
        saved_stderr = os.dup(_STDERR)
    except (OSError, ValueError):  # standard error is closed: nothing to hide
        yield
        return
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved_stderr, _STDERR)
            os.close(saved_stderr)
            aside.seek(0)
            for line in aside:
                if words.encode() not in line:
                    os.write(_STDERR, line)
