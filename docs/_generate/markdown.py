"""Markdown from values: tables, and docstrings as prose."""

import re
import textwrap
from collections.abc import Iterable, Sequence

_ROLE = re.compile(r":\w+(?::\w+)?:`~?\.?([^`]+)`")
_CODE = re.compile(r"(`[^`]*`)")
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
_FLAG = re.compile(r"(?<![\w`-])--[a-z][\w-]*")
_MYST = re.compile(r"^(%|\+\+\+)", re.MULTILINE)
"""At the beginning of a line, a comment and the end of a block in MyST."""


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""A table of Markdown; bars inside of cells are escaped.

    Args:
        header: Names of the columns.
        rows: Cells by row, each row as long as the header.

    Example:
        >>> print(table(["key", "values"], [["`keep`", "best | last"]]))
        | key | values |
        |---|---|
        | `keep` | best \| last |
        <BLANKLINE>
    """
    lines = [_row(header), "|" + "---|" * len(header)]
    lines += [_row([_cell(value) for value in row]) for row in rows]
    return "\n".join(lines) + "\n"


def from_docstring(text: str) -> str:
    r"""The Markdown of a docstring without margin: prose, roles as code, indented blocks as code.

    Example:
        >>> print(from_docstring("See :mod:`qat.core`::\n\n    q = r / s"))
        See `qat.core`:
        <BLANKLINE>
        ```text
        q = r / s
        ```
    """
    blocks: list[tuple[bool, str]] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        indented = block.startswith("  ")
        if indented and blocks and blocks[-1][0]:
            block = f"{blocks.pop()[1]}\n\n{block}"
        blocks.append((indented, block))
    return "\n\n".join(_fenced(block) if indented else prose(block) for indented, block in blocks)


def prose(text: str) -> str:
    r"""Prose of a docstring as Markdown; characters with a meaning in Markdown are escaped.

    Example:
        >>> prose("``a_b`` is x_1 * 2 (arXiv:1902.08153)")
        '`a_b` is x\\_1 \\* 2 ([arXiv:1902.08153](https://arxiv.org/abs/1902.08153))'
    """
    text = _FLAG.sub(r"`\g<0>`", _ROLE.sub(r"`\1`", text).replace("``", "`"))
    text = re.sub(r"::$", ":", text, flags=re.MULTILINE)
    parts = _CODE.split(text)
    parts[::2] = [_papers(re.sub(r"([\\*_<>\[\]])", r"\\\1", part)) for part in parts[::2]]
    return _MYST.sub(r"\\\1", "".join(parts))


def _papers(text: str) -> str:
    return _ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def _fenced(block: str) -> str:
    return f"```text\n{textwrap.dedent(block)}\n```"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    text = " ".join(str(value).split())
    return re.sub(r"(?<!\\)\|", r"\\|", text)
