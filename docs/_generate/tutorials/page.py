"""A page as parts: prose, and blocks that are run, written to a file or left alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import PurePosixPath

from docs._generate.links import split_code

_HIDDEN = re.compile(r"(<!-- run\n.*?-->)", re.DOTALL)
_EXIT_CODE = re.compile(r"#\s*exit code (\d+)$")
_NOT_RUN = "not run:"
_IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
PROMPT = "$ "


class PageError(ValueError):
    """A page has a block that cannot be run as it is written."""


class Kind(Enum):
    """What happens with a part of a page."""

    PROSE = auto()
    CONSOLE = auto()
    PYTHON = auto()
    OUTPUT = auto()
    FILE = auto()
    HIDDEN = auto()
    NOT_RUN = auto()


@dataclass(frozen=True)
class Part:
    """A part of a page.

    Attributes:
        kind: What happens with it.
        text: All of it, with its fences.
        body: The lines between its fences.
        words: What its first line says after the language.
    """

    kind: Kind
    text: str
    body: str = ""
    words: str = ""

    @property
    def varies(self) -> bool:
        """Whether the numbers of its output differ each time."""
        return self.words == "varies"


@dataclass(frozen=True)
class Command:
    """A command of the shell.

    Attributes:
        text: The command, without the prompt.
        exit_code: The exit code that it is to have.
    """

    text: str
    exit_code: int = 0


def read_parts(text: str) -> list[Part]:
    r"""The parts of a page; joined, their texts are the page.

    Raises:
        PageError: If a block has words that mean nothing.

    Example:
        >>> [part.kind.name for part in read_parts("Try:\n```console\n$ qat list\nall\n```\n")]
        ['PROSE', 'CONSOLE']
    """
    return [part for part in _split(text) if part.text]


def commands(part: Part) -> list[Command]:
    r"""The commands of a console block or of a hidden one, without their output.

    Raises:
        PageError: If the block begins with something else.

    Example:
        >>> commands(read_parts("```console\n$ false  # exit code 1\n```\n")[0])
        [Command(text='false  # exit code 1', exit_code=1)]
    """
    lines: list[str] = []
    continues = False
    for line in part.body.splitlines():
        if line.startswith(PROMPT):
            lines.append(line.removeprefix(PROMPT))
        elif continues:
            lines[-1] += f"\n{line}"
        elif not lines:
            raise PageError(f"a command begins with {PROMPT!r}, got {line!r}")
        continues = line.endswith("\\") and (line.startswith(PROMPT) or continues)
    return [Command(line, _exit_code(line)) for line in lines]


def images(parts: list[Part]) -> list[str]:
    """The paths of all images of the prose, as the page has them."""
    return [path for part in parts if part.kind is Kind.PROSE for path in _IMAGE.findall(part.text)]


def with_captions(text: str) -> str:
    r"""The page as the site shows it: the name of a file is above the block that is written to it.

    Example:
        >>> print(with_captions("```python net.py\nx = 1\n```\n"))
        ```{code-block} python
        :caption: net.py
        <BLANKLINE>
        x = 1
        ```
        <BLANKLINE>
    """
    return "".join(_captioned(part) for part in _split(text))


def _split(text: str) -> Iterator[Part]:
    for is_code, lines in split_code(text):
        if is_code:
            yield _block(lines)
            continue
        for piece in _HIDDEN.split(lines):
            if _HIDDEN.fullmatch(piece):
                body = piece.removeprefix("<!-- run\n").removesuffix("-->")
                yield Part(Kind.HIDDEN, piece, body)
            else:
                yield Part(Kind.PROSE, piece)


def _block(text: str) -> Part:
    first, _, rest = text.partition("\n")
    language, _, words = first.strip().lstrip("`~").partition(" ")
    body = "".join(rest.splitlines(keepends=True)[:-1])
    return Part(_kind(language, words), text, body, words)


def _kind(language: str, words: str) -> Kind:
    if language in ("console", "python") and words in ("", "varies"):
        return Kind.CONSOLE if language == "console" else Kind.PYTHON
    if (language, words) == ("text", "output"):
        return Kind.OUTPUT
    if not words or language.startswith("{"):
        return Kind.NOT_RUN
    if words.startswith(_NOT_RUN) and words != _NOT_RUN:
        return Kind.NOT_RUN
    path = PurePosixPath(words)
    if " " in words or not path.suffix or path.is_absolute() or ".." in path.parts:
        allowed = f"varies, the name of a file, or '{_NOT_RUN} REASON'"
        raise PageError(f"after {language!r} may be {allowed}, got {words!r}")
    return Kind.FILE


def _exit_code(line: str) -> int:
    match = _EXIT_CODE.search(line)
    return int(match[1]) if match else 0


def _captioned(part: Part) -> str:
    if part.kind is not Kind.FILE:
        return part.text
    first, _, rest = part.text.partition("\n")
    language = first.strip("`~ ").partition(" ")[0]
    fence = first[: len(first) - len(first.lstrip("`~"))]
    return f"{fence}{{code-block}} {language}\n:caption: {part.words}\n\n{rest}"
