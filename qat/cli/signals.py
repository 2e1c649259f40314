"""Ctrl-C (SIGINT), SIGTERM and a closed terminal (SIGHUP) end a command with one line.

The signals raise KeyboardInterrupt, so that ``finally`` blocks and context managers run. Some code
does not react: a solver that runs for a minute, or a library that catches the exception. So a
thread also waits for the signal, and ends the process a few seconds later. This loses no data:
records and cache entries are written completely or not at all, and readers show a run without its
lock as interrupted.
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
"""Time that a command has to end by itself."""
INTERRUPTED = "qat: interrupted; repeat the same command to continue"
_SHOW_CURSOR = "\x1b[?25h"
_ALWAYS = (signal.SIGTERM, signal.SIGINT)
_SIGNALS = (*_ALWAYS, signal.SIGHUP) if hasattr(signal, "SIGHUP") else _ALWAYS


class _Interruption:
    """State of this process: the number of signals, and whether the line is printed."""

    is_printed = False
    signals = 0


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Within the block, SIGTERM, SIGINT and SIGHUP raise KeyboardInterrupt and end the process.

    Python lets only the main thread set handlers; in other threads this does nothing. A SIGHUP
    that the process ignores from its start (``nohup``) stays ignored. After the block the signals
    are ignored, because the command has printed its result and the interpreter is about to end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for number in _SIGNALS:
        if number in _ALWAYS or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reading,), name="qat-signals", daemon=True).start()
    try:
        yield
    finally:
        _ignore()


def print_interrupted() -> None:
    """Print the last line of an interrupted command, once, if anyone can read it."""
    if threading.current_thread() is threading.main_thread():
        _ignore()
    if not _Interruption.is_printed:
        _Interruption.is_printed = True
        with contextlib.suppress(OSError):
            print(INTERRUPTED, file=sys.stderr, flush=True)


def leave_if_interrupted() -> None:
    """End the process of an interrupted command at once, without the interpreter's own shutdown.

    An interrupted training leaves tensors that torch may not be able to free. Then torch aborts the
    process with another exit code.
    """
    if _Interruption.signals or _Interruption.is_printed:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        _end()


def _ignore() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt at the first signal; end the process at the second."""
    _Interruption.signals += 1
    if _Interruption.signals > 1:
        _end()
    raise KeyboardInterrupt


def _watch(reading: int) -> None:
    """Wait for a signal: the interpreter writes its number to the pipe at once."""
    while not any(number in _SIGNALS for number in os.read(reading, 64)):
        pass
    time.sleep(GRACE_SECONDS)
    _end()


def _end() -> NoReturn:
    """End the process immediately, with the line and the exit code of an interrupted command."""
    with contextlib.suppress(Exception):
        for child in multiprocessing.active_children():
            child.terminate()
    if not _Interruption.is_printed:
        line = f"{_SHOW_CURSOR}\n{INTERRUPTED}\n" if os.isatty(2) else f"{INTERRUPTED}\n"
        with contextlib.suppress(OSError):
            os.write(2, line.encode())
    os._exit(FAILED)
