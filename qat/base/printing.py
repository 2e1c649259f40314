"""Lines for a reader, in which nothing that comes from data acts on the terminal."""

import sys

from qat.base.lines import wrapped
from qat.base.text import plain


def print_line(text: object) -> None:
    """One line on stdout; what would act in it, line ends included, is shown as an escape."""
    print(plain(str(text)), flush=True)


def print_lines(text: str) -> None:
    """Several lines of ours with names from data in them."""
    print(plain(text, keep="\n"), flush=True)


def complain_line(text: object) -> None:
    """``qat: <one line>`` on stderr, in the same way; broken between words on a terminal alone."""
    line = f"qat: {plain(str(text))}"
    shown = wrapped(line, hang=5) if sys.stderr.isatty() else line
    print(shown, file=sys.stderr, flush=True)
