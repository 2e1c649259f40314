"""Print lines in which control characters from data are escaped, so that none acts.

Progress bars replace ``sys.stdout`` while they are drawn. ``print`` without ``file`` does not hold
the stream that it writes to (CPython 3.11), and ends the process if another thread replaces it in
that moment; so whatever a thread prints is printed here, with the stream as argument.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from qat.base.lines import wrapped
from qat.base.text import plain


class _Kept:
    complaints: list[str] | None = None
    """Where complaints go instead of stderr; None: to stderr."""


def print_line(text: object) -> None:
    """Print one line on stdout; control characters, line ends included, are escaped."""
    print(plain(str(text)), file=sys.stdout, flush=True)


def print_wrapped(text: str, hang: int = 0) -> None:
    """Print a line on stdout, escaped, and broken between words for a terminal.

    Args:
        text: The line.
        hang: Columns by which all lines but the first are indented.
    """
    print(wrapped(text, hang=hang), file=sys.stdout, flush=True)


def print_lines(text: str) -> None:
    """Print several lines on stdout; control characters except line ends are escaped."""
    print(plain(text, keep="\n"), file=sys.stdout, flush=True)


def complain_line(text: object) -> None:
    """Print ``qat: <one line>`` on stderr, escaped; broken between words only for a terminal."""
    shown = plain(str(text))
    if _Kept.complaints is not None:
        _Kept.complaints.append(shown)
        return
    line = f"qat: {shown}"
    print(wrapped(line, hang=5) if sys.stderr.isatty() else line, file=sys.stderr, flush=True)


@contextmanager
def complaints_kept() -> Iterator[list[str]]:
    """Inside the block, complaints of this process are not printed.

    Yields:
        The list that receives them, one line each.

    Example:
        >>> with complaints_kept() as complaints:
        ...     complain_line("no page")
        >>> complaints
        ['no page']
    """
    before, _Kept.complaints = _Kept.complaints, []
    try:
        yield _Kept.complaints
    finally:
        _Kept.complaints = before
