"""Lines of text that fit where they are read."""

import os
import shutil
import sys
import textwrap

from qat.base.text import plain


def line_width() -> int | None:
    """Columns of the terminal, or what COLUMNS says; None where a line may be of any length."""
    told = os.environ.get("COLUMNS", "")
    if told.isdigit() and int(told) > 0:
        return int(told)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def wrapped(text: str, hang: int = 0) -> str:
    """The text, broken between words where it is wider than a line; nothing in it acts.

    Args:
        text: One line; its own indentation is kept.
        hang: Blanks before each line but the first.

    Example:
        >>> print(wrapped("short"))
        short
    """
    text = plain(text)
    width = line_width()
    if width is None or len(text) <= width:
        return text
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.fill(
        text.lstrip(),
        width,
        initial_indent=indent,
        subsequent_indent=" " * hang,
        break_long_words=False,  # a path is copied as a whole
        break_on_hyphens=False,
    )


def aligned(words: dict[str, str], indent: str = "  ") -> list[str]:
    """``name  text`` with the texts below each other, long ones broken."""
    width = max(map(len, words), default=0)
    hang = len(indent) + width + 2
    return [
        wrapped(f"{indent}{name:<{width}}  {text}".rstrip(), hang) for name, text in words.items()
    ]
