"""Hide what libraries written in C print."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_STDOUT = 1
_STDERR = 2
_one_at_a_time = threading.Lock()


@contextmanager
def silent_c_output() -> Iterator[None]:
    """Discard the standard output of the whole process inside the block.

    The solver HiGHS prints a debugging line even if its options forbid it. Python's own output is
    flushed before the block, so that none of it is lost.
    """
    with (
        _one_at_a_time,
        Path(os.devnull).open("wb") as nothing,
        _sent_to(nothing.fileno(), sys.stdout, _STDOUT),
    ):
        yield


@contextmanager
def without_c_warning(words: str) -> Iterator[None]:
    """Discard the lines of standard error with certain words inside the block, and no others.

    The other lines are printed when the block ends. Only one block at a time can be open.

    Args:
        words: Part of the lines to discard.
    """
    with tempfile.TemporaryFile() as aside:
        try:
            with _sent_to(aside.fileno(), sys.stderr, _STDERR):
                yield
        finally:
            aside.seek(0)
            for line in aside:
                if words.encode() not in line:
                    os.write(_STDERR, line)


@contextmanager
def _sent_to(file: int, stream: TextIO, number: int) -> Iterator[None]:
    """Send what the process writes to a stream into a file; a closed stream stays as it is."""
    try:
        stream.flush()
        saved = os.dup(number)
    except (OSError, ValueError):
        yield
        return
    try:
        os.dup2(file, number)
        yield
    finally:
        os.dup2(saved, number)
        os.close(saved)
