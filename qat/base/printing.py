"""Print lines in which control characters from data are escaped, so that none acts."""

import sys

from qat.base.lines import wrapped
from qat.base.text import plain


def print_line(text: object) -> None:
    """Print one line on stdout; control characters, line ends included, are escaped."""
    print(plain(str(text)), flush=True)


def print_lines(text: str) -> None:
    """Print several lines on stdout; control characters except line ends are escaped."""
    print(plain(text, keep="\n"), flush=True)


def complain_line(text: object) -> None:
    """Print ``qat: <one line>`` on stderr, escaped; broken between words only for a terminal."""
    line = f"qat: {plain(str(text))}"
    shown = wrapped(line, hang=5) if sys.stderr.isatty() else line
    print(shown, file=sys.stderr, flush=True)
