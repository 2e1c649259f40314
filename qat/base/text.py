"""Text from elsewhere as a reader may see it: nothing in it acts, everything in it shows.

Names, errors and overrides come from files and libraries. Written as they are, an escape sequence
in them would move the cursor, a line end would forge a line, and a bidirectional override would
turn words around.
"""

import re

LONGEST = 2000
# What Markdown acts on; an underscore within a word and a lone bracket or dollar are text.
_MARKS = re.compile(
    r"[\\`*~|<]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])|\[(?=[^\]]*\][(\[])|!(?=\[)|\$(?=.*\$)|(?<=\$)\$"
)
_LINK = re.compile(r"\]\(")
_FORMULA = ("=", "+", "-", "@")
# Controls (C0, C1), line and paragraph separators, marks of direction, lone surrogates.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain(text: str, keep: str = "") -> str:
    r"""The text with everything that acts instead of showing written as an escape.

    Args:
        text: Any text.
        keep: Characters that may stay, such as line ends.

    Example:
        >>> print(plain("a\x1b[31mb\u202ec"))
        a\x1b[31mb\u202ec
        >>> print(plain("two\nlines"))
        two\nlines
    """
    if text.isascii() and text.isprintable():
        return text
    return _ACTING.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), text)


def plain_line(text: str, longest: int = LONGEST) -> str:
    """One line: blanks in a row are one, the rest is shown as :func:`plain` does, cut if long."""
    line = plain(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def markdown_text(text: str) -> str:
    r"""Text as a cell of a Markdown table shows it: no markup, no HTML, no formula in it acts.

    Example:
        >>> print(markdown_text("w4_a4 [bit]"), markdown_text("a|b <i>"), markdown_text("**x**"))
        w4_a4 [bit] a\|b &lt;i> \*\*x\*\*
    """
    return _MARKS.sub(_marked, plain(text))


def markdown_line(text: str) -> str:
    """A sentence of ours with names from elsewhere in it: no HTML and no link of theirs acts."""
    return _LINK.sub(r"]\\(", plain(text).replace("&", "&amp;").replace("<", "&lt;"))


def csv_text(text: str) -> str:
    """A cell of text that a spreadsheet takes for text: an apostrophe stands before a formula.

    What reads as a number stays as it is.

    Example:
        >>> csv_text("=1+1"), csv_text("-0.5"), csv_text("w8a8")
        ("'=1+1", '-0.5', 'w8a8')
    """
    shown = plain(text)
    return f"'{shown}" if shown.startswith(_FORMULA) and not _is_number(shown) else shown


def own_text(cell: str) -> str:
    """The text behind a cell that :func:`csv_text` made of a word without controls."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _marked(found: re.Match[str]) -> str:
    return {"<": "&lt;", "&": "&amp;"}.get(found[0], f"\\{found[0]}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _escaped(character: str) -> str:
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
    if character in named:
        return named[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
