"""A command that is told to end (Ctrl-C, or SIGTERM as schedulers send it) ends with one line.

Both raise KeyboardInterrupt, so that whatever is under way is left in order. Some code takes no
notice: a solver that runs for a minute, a library that swallows the exception. So a thread looks
on, and ends the process itself if it is still there some seconds later. That loses nothing:
records and caches are written whole or not at all, and a run without its lock is interrupted to
every reader.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from qat.base.exit_codes import FAILED

GRACE_SECONDS = 5.0
"""How long a command may take to end by itself."""
INTERRUPTED = "qat: interrupted; the same command goes on where it was"
_SHOW_CURSOR = "\x1b[?25h"
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Seen:
    """What this process knows of being interrupted."""

    is_printed = False
    signals = 0


@contextmanager
def ended_alike() -> Iterator[None]:
    """Within the block SIGTERM and SIGINT raise KeyboardInterrupt, and are sure to end the process.

    Only the main thread may set handlers; in another nothing changes. Behind the block both are
    ignored: what was computed is told already, and the interpreter is about to end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reading,), name="qat-signals", daemon=True).start()
    try:
        yield
    finally:
        _ignore()


def print_interrupted() -> None:
    """Print the line that an interrupted command ends with, once."""
    if threading.current_thread() is threading.main_thread():
        _ignore()
    if not _Seen.is_printed:
        _Seen.is_printed = True
        print(INTERRUPTED, file=sys.stderr, flush=True)


def leave_if_interrupted() -> None:
    """End the process of a command that was interrupted without taking the interpreter down.

    A training that is left in the middle leaves tensors behind that torch may refuse to free, and
    then aborts the process with a code of its own.
    """
    if _Seen.signals:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        _end()


def _ignore() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Once; who asks again does not want to wait."""
    _Seen.signals += 1
    if _Seen.signals > 1:
        _end()
    raise KeyboardInterrupt


def _watch(reading: int) -> None:
    """Wait for a signal, which the interpreter notes at once, whatever the main thread does."""
    while not any(number in _SIGNALS for number in os.read(reading, 64)):
        pass
    time.sleep(GRACE_SECONDS)
    _end()


def _end() -> NoReturn:
    """End here and now, with the line and the code of an interrupted command."""
    with contextlib.suppress(Exception):
        for child in multiprocessing.active_children():
            child.terminate()
    if not _Seen.is_printed:
        line = f"{_SHOW_CURSOR}\n{INTERRUPTED}\n" if os.isatty(2) else f"{INTERRUPTED}\n"
        with contextlib.suppress(OSError):
            os.write(2, line.encode())
    os._exit(FAILED)
