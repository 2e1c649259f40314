"""The code blocks of README and docs: where they are, their commands, and why some do not run.

A block runs in a test, or a comment above it gives the reason why not. Neither GitHub nor Sphinx
shows comments:

    <!-- not run: REASON -->                 the whole block
    <!-- not run: `COMMAND`: REASON -->      its commands that begin with COMMAND
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from docs._generate.links import split_code
from docs._generate.pages import ROOT

_DOCS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
PAGES = (
    *("README.md", "CONTRIBUTING.md", "examples/own_method/README.md"),
    *(page for page in _DOCS if not page.endswith(".zh.md")),
)
"""Pages with code. Those in Chinese have the same blocks (test_chinese.py); those in docs/tutorials
are scripts, which run as a whole."""
SHOWN = ("text", "{")
"""What begins the name of a block that nobody types: an output, a directive of Sphinx."""
RUN = ("console", "python", "yaml")
_FENCE = re.compile(r"\s*(?:```+|~~~+)(\S*)[^\n]*\n(.*?)\s*(?:```+|~~~+)\s*$", re.DOTALL)
_MARKS = re.compile(r"((?:<!-- not run: (?:(?!-->).)*-->\s*)+)$", re.DOTALL)
_MARK = re.compile(r"<!-- not run: (?:`([^`]+)`: )?(.*?) ?-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: Its page, relative to the checkout.
        line: Number of the line of its fence.
        language: The word after the fence; empty if there is none.
        code: Its lines.
        marks: Beginning of a command, or "" for the whole block → why it does not run.
    """

    page: str
    line: int
    language: str
    code: str
    marks: Mapping[str, str]

    @property
    def place(self) -> str:
        """``docs/start.md:9``."""
        return f"{self.page}:{self.line}"

    def reason(self, command: str = "") -> str:
        """Why a command does not run; empty if it does."""
        begins = [why for start, why in self.marks.items() if command.startswith(start)]
        return begins[0] if begins else ""

    def commands(self) -> list[str]:
        """The commands of a console, without comments; of a transcript, without output."""
        joined = re.sub(r"\s*\\\n\s*", " ", self.code)
        lines = [line for line in joined.splitlines() if line.strip()]
        if any(line.startswith("$ ") for line in lines):
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        commands = (re.split(r"(?:^|\s+)# ", line)[0].strip() for line in lines)
        return [command for command in commands if command]


@cache
def every_block() -> tuple[Block, ...]:
    """All blocks of all pages that somebody could type or run."""
    return tuple(
        block
        for page in PAGES
        for block in blocks_of(page, (ROOT / page).read_text(encoding="utf-8"))
        if not block.language.startswith(SHOWN)
    )


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """The blocks of a text.

    Args:
        page: Name of its page.
        text: Its Markdown.
    """
    line, before = 1, ""
    for is_code, part in split_code(text):
        if is_code and (match := _FENCE.match(part)):
            yield Block(page, line, match[1], match[2], _marks(before))
        line += part.count("\n")
        before = "" if is_code else part


def in_language(*languages: str) -> dict[str, list[Block]]:
    """Page → its blocks in some languages that run, in their order."""
    pages: dict[str, list[Block]] = {}
    for block in every_block():
        if block.language in languages and not block.reason():
            pages.setdefault(block.page, []).append(block)
    return pages


def commands_to_run() -> dict[str, list[str]]:
    """Page → the commands of its consoles that run, in their order."""
    return {
        page: [c for block in blocks for c in block.commands() if not block.reason(c)]
        for page, blocks in in_language("console").items()
    }


def words_of(command: str) -> list[str]:
    """The words of a command, as a shell splits them."""
    return shlex.split(command)


def _marks(before: str) -> dict[str, str]:
    match = _MARKS.search(before)
    return {m[1] or "": m[2].strip() for m in _MARK.finditer(match[1])} if match else {}
