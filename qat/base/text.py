"""Make text from files and libraries safe to show: control characters are escaped.

Names, errors and overrides are not ours. Printed unchanged, an escape sequence in them would move
the cursor, a line end would add a false line, and a bidirectional override would reverse words.
"""

import re

LONGEST = 2000
# Markup of Markdown; an underscore within a word and a lone bracket or dollar are plain text.
_MARKS = re.compile(
    r"[\\`*~|<]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])|\[(?=[^\]]*\][(\[])|!(?=\[)|\$(?=.*\$)|(?<=\$)\$"
)
_LINK = re.compile(r"\]\(")
_FORMULA = ("=", "+", "-", "@")
# Controls (C0, C1), line and paragraph separators, marks of direction, lone surrogates.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain(text: str, keep: str = "") -> str:
    r"""The text with every control character written as an escape.

    Args:
        text: Any text.
        keep: Control characters that are not escaped, such as line ends.

    Example:
        >>> print(plain("a\x1b[31mb\u202ec"))
        a\x1b[31mb\u202ec
        >>> print(plain("two\nlines"))
        two\nlines
    """
    if text.isascii() and text.isprintable():
        return text
    return _CONTROLS.sub(lambda match: match[0] if match[0] in keep else _escaped(match[0]), text)


def plain_line(text: str, longest: int = LONGEST) -> str:
    r"""Text as one line: each run of blanks is one space, controls are escaped, the end is cut.

    Args:
        text: Any text.
        longest: Largest number of characters; a line that is cut ends in an ellipsis.

    Example:
        >>> plain_line("two\n   lines"), len(plain_line("x" * 99, longest=10))
        ('two lines', 10)
    """
    line = plain(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def markdown_text(text: str) -> str:
    r"""Text for a cell of a Markdown table: markup, HTML and formulas are escaped.

    Example:
        >>> print(markdown_text("w4_a4 [bit]"), markdown_text("a|b <i>"), markdown_text("**x**"))
        w4_a4 [bit] a\|b &lt;i> \*\*x\*\*
    """
    return _MARKS.sub(_marked, plain(text))


def markdown_line(text: str) -> str:
    """One of our sentences with names from data in it: HTML and links are escaped."""
    return _LINK.sub(r"]\\(", plain(text).replace("&", "&amp;").replace("<", "&lt;"))


def csv_text(text: str) -> str:
    """Text for a cell of a CSV file: an apostrophe before a formula makes a spreadsheet show it.

    Numbers are unchanged.

    Example:
        >>> csv_text("=1+1"), csv_text("-0.5"), csv_text("w8a8")
        ("'=1+1", '-0.5', 'w8a8')
    """
    shown = plain(text)
    return f"'{shown}" if shown.startswith(_FORMULA) and not _is_number(shown) else shown


def own_text(cell: str) -> str:
    """The inverse of :func:`csv_text` for text without control characters."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _marked(match: re.Match[str]) -> str:
    return {"<": "&lt;", "&": "&amp;"}.get(match[0], f"\\{match[0]}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _escaped(character: str) -> str:
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
    if character in short:
        return short[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
