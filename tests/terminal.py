"""A real terminal for a command: a pseudo-terminal of so many columns, and what stands on it.

The command runs in a fork of the test's process: torch is loaded already.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from qat.cli.main import console

CONTROL = re.compile(r"\x1b\[(?P<arguments>[?0-9;]*)(?P<letter>[A-Za-z])")
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Seen:
    """What a person sees of a command: exit code, and everything that was sent to the terminal."""

    code: int
    sent: str
    columns: int

    @property
    def screen(self) -> list[str]:
        """The lines that stand in the end, those scrolled away included."""
        return drawn(self.sent, self.columns)

    @property
    def text(self) -> str:
        """The screen as one string."""
        return "\n".join(self.screen)

    @property
    def too_wide(self) -> list[str]:
        """Lines that the terminal had to break."""
        return [line for line in plain_lines(self.sent) if len(line) > self.columns]


def in_terminal(
    *words: str,
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
    when: Callable[[str], bool] | None = None,
    then: Callable[[int, int], None] | None = None,
) -> Seen:
    """Run ``qat WORDS`` in a terminal.

    Args:
        words: The command line behind ``qat``.
        columns: Width of the terminal.
        environment: Variables to set.
        when: Given everything sent so far, true as soon as ``then`` is to happen.
        then: Given the process and the terminal's file descriptor: press a key, send a signal.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12: fork beside threads
        process, terminal = pty.fork()
    if process == 0:
        _child(words, environment or {})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        sent = _read_all(process, terminal, when, then)
    finally:
        os.close(terminal)
    _, status = os.waitpid(process, 0)
    return Seen(os.waitstatus_to_exitcode(status), sent, columns)


def press_ctrl_c(_process: int, terminal: int) -> None:
    """What the key does: the terminal sends SIGINT to whoever is in front."""
    os.write(terminal, b"\x03")


def terminate(process: int, _terminal: int) -> None:
    """What ``kill PID`` and schedulers do."""
    os.kill(process, signal.SIGTERM)


def close(_process: int, terminal: int) -> None:
    """What closing the window does: later writes fail, and SIGHUP reaches the process."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), terminal)


def _child(words: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Never returns: what pytest has open and registered is the parent's."""
    code = 99
    try:
        os.environ.pop("COLUMNS", None)
        os.environ.pop("LINES", None)
        os.environ.pop("NO_COLOR", None)
        os.environ.update({"TERM": "xterm-256color"} | dict(environment))
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", 1), open(2, "w", 1)  # noqa: SIM115
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        _wait_for_the_width()
        sys.argv = ["qat", *words]
        console()
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):  # the terminal may be closed
            sys.stdout.flush()
        os._exit(code)


def _wait_for_the_width() -> None:
    while os.get_terminal_size(1).columns == 0:
        time.sleep(0.001)


def _read_all(
    process: int,
    terminal: int,
    when: Callable[[str], bool] | None,
    then: Callable[[int, int], None] | None,
) -> str:
    sent = b""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            new = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the last writer is gone
            new = b""
        if not new:
            return sent.decode()
        sent += new
        if when is not None and then is not None and when(sent.decode(errors="replace")):
            then(process, terminal)
            when = None
    os.kill(process, signal.SIGKILL)
    return sent.decode(errors="replace")


def plain_lines(sent: str) -> list[str]:
    """Every line that was written, redrawn ones too, without colours."""
    return re.split(r"[\r\n]+", CONTROL.sub("", sent))


def drawn(sent: str, columns: int) -> list[str]:
    """The screen in the end: carriage returns, cursor movements and erasures are followed."""
    lines, row, column = [""], 0, 0
    for piece in re.split(r"(\x1b\[[?0-9;]*[A-Za-z]|\r|\n)", sent):
        control = CONTROL.fullmatch(piece)
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row, column = row + 1, column
            lines += [""] * (row + 1 - len(lines))
        elif control is not None:
            if control["letter"] == "A":
                row = max(0, row - int(control["arguments"] or 1))
            elif control["letter"] == "K":
                keep = lines[row][:column] if control["arguments"] in ("", "0") else ""
                lines[row] = keep
        else:
            for start in range(0, len(piece), columns):
                part = piece[start : start + columns]
                lines[row] = (
                    lines[row].ljust(column)[:column] + part + lines[row][column + len(part) :]
                )
                column += len(part)
    return [line.rstrip() for line in lines]
