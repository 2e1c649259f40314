"""What differs between the committed output of a page and that of a new run.

Times (and rows of times), dates, versions and ids of runs differ each time, and so do the numbers
of a block with the word ``varies``; widths of columns follow them. All other numbers are equal on
machines that compute alike: with the same torch and the same instructions of the CPU. On other
machines, only the words are compared.
"""

import difflib
import re
from collections.abc import Iterator

from docs._generate.tutorials.page import Kind, Part, read_parts

_ALWAYS = (
    (re.compile(r"\b(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{8,}\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d|\d+:\d\d(?::\d\d)?"), "DATE"),
    (re.compile(r"\d+\.\d+\.\d+\S*"), "VERSION"),
    (re.compile(r"\d[\d.,]*\s?(?:ms|µs|s|min|h|seconds?|minutes?)\b"), "TIME"),
)
_OF_TIMES = re.compile(r"\btime\b|\blatency\b|\bspeed-up\b|\[ms\]")
_NUMBER = re.compile(r"\d[\d.,]*")
_LINES = re.compile(r"[-─━═]{2,}")
_FOOTER = re.compile(r"\n\*Run on .*\*\n\Z")


def footer(machine: str) -> str:
    """The last lines of a page: on what it was run, which is what its numbers depend on.

    Example:
        >>> print(footer("2 threads"))
        <BLANKLINE>
        *Run on 2 threads.*
        <BLANKLINE>
    """
    return f"\n*Run on {machine}.*\n"


def without_footer(text: str) -> str:
    """The page without what :func:`footer` has added."""
    return _FOOTER.sub("", text)


def differences(committed: str, new: str) -> list[str]:
    r"""Lines of a unified diff of two runs of a page; none if they differ only where they may.

    Args:
        committed: The page with the output of the earlier run.
        new: The page with the output of the new run.

    Example:
        >>> page = "```console\n$ qat run\ntop-1 {} in {} s\n```\n"
        >>> differences(page.format(91, 2.5), page.format(91, 3))
        []
        >>> differences(page.format(91, 2.5), page.format(90, 2.5))[-3:-1]
        ['-top-1 91 in TIME', '+top-1 90 in TIME']
    """
    alike = _machine(committed) == _machine(new)
    before, after = (list(_masked(without_footer(text), alike)) for text in (committed, new))
    return list(difflib.unified_diff(before, after, "committed", "new", n=2, lineterm=""))


def has_footer(text: str) -> bool:
    """Whether the page has been run."""
    return bool(_FOOTER.search(text))


def _machine(text: str) -> str:
    match = _FOOTER.search(text)
    return match[0] if match else ""


def _masked(text: str, alike: bool) -> Iterator[str]:
    """Lines of the page, with a word in the place of what may differ."""
    before: Part | None = None
    for part in read_parts(text):
        owner = before if part.kind is Kind.OUTPUT and before else part
        if part.kind in (Kind.CONSOLE, Kind.OUTPUT):
            yield from (_mask(line, owner.varies or not alike) for line in part.text.splitlines())
        else:
            yield from part.text.splitlines()
        if part.kind is not Kind.PROSE:
            before = part


def _mask(line: str, numbers: bool) -> str:
    if line.startswith("$ "):
        return line
    for pattern, word in _ALWAYS:
        line = pattern.sub(word, line)
    if numbers or _OF_TIMES.search(line):
        line = _NUMBER.sub("N", line)
    return " ".join(_LINES.sub("--", line).split())
