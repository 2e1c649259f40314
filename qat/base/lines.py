"""Lines of text that fit the width of the terminal."""

import os
import shutil
import sys
import textwrap

from qat.base.text import plain


def line_width() -> int | None:
    """Columns of the terminal, or the value of COLUMNS; None if a line may have any length."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def wrapped(text: str, hang: int = 0) -> str:
    """The text, broken between words if it is wider than a line, with controls escaped.

    Args:
        text: One line; its indentation is kept.
        hang: Number of spaces before each line except the first; if it is not 0, at least two more
            than before the first.

    Example:
        >>> print(wrapped("short"))
        short
    """
    text = plain(text)
    width = line_width()
    if width is None or len(text) <= width:
        return text
    indent = " " * (len(text) - len(text.lstrip()))
    hang = max(hang, len(indent) + 2) if hang else 0
    return textwrap.fill(
        text.lstrip(),
        width,
        initial_indent=indent,
        subsequent_indent=" " * hang,
        break_long_words=False,  # a path is copied as a whole
        break_on_hyphens=False,
    )


def aligned(words: dict[str, str], indent: str = "  ") -> list[str]:
    """One ``name  text`` per item, with all texts in one column and long texts broken.

    Args:
        words: Name → text.
        indent: Text before each name.

    Returns:
        One string per item; a long text contains line ends.
    """
    width = max(map(len, words), default=0)
    hang = len(indent) + width + 2
    return [
        wrapped(f"{indent}{name:<{width}}  {text}".rstrip(), hang) for name, text in words.items()
    ]
