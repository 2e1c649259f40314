"""What differs between the committed output of a page and that of a new run.

Times (and rows of times), dates, versions and ids of runs differ each time, and so do the numbers
of a block with the word ``varies``; widths of columns follow them. All other numbers are equal on
machines that compute alike: with the same torch and the same instructions of the CPU. On other
machines, only the words are compared.
"""

import difflib
import re
from collections.abc import Iterator

from docs._generate.tutorials.page import PROMPT, Kind, Part, read_parts

_ALWAYS = (
    (re.compile(r"\b(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{8,}\b"), "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d|\d+:\d\d(?::\d\d)?"), "DATE"),
    (re.compile(r"\d+\.\d+\.\d+\S*"), "VERSION"),
    (re.compile(r"(?:\b[\d.,]+\s*(?:ms|µs|s|min|h|seconds?|minutes?)\b\s*)+"), "TIME "),
    (re.compile(r"TIME \([\d.]+\s+to\s+[\d.]+\)"), "TIME"),
    (re.compile(r"[\d.]+×\s+\([\d.]+\s+to\s+[\d.]+\)\s+as\s+fast"), "FASTER"),
)
_OF_TIMES = re.compile(r"\btime\b|\blatency\b|\bspeed-up\b|\[ms\]")
_STAGE = re.compile(r"\[\w+\] \.\.\. ")
"""A line of progress, which is shown only for a stage that takes a second."""
_NUMBER = re.compile(r"(?:(?<!\S)[-+])?\d[\d.,]*")
"""With its sign, for the difference of two times may have either."""
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
    r"""A unified diff of two runs of a page; empty if they differ only where they may.

    Args:
        committed: The page with the output of the earlier run.
        new: The page with the output of the new run.

    Example:
        >>> page = "```console\n$ qat run\ntop-1 {} in {} s\n```\n"
        >>> differences(page.format(91, 2.5), page.format(91, 3))
        []
        >>> lines = differences(page.format(91, 2.5), page.format(90, 2.5))
        >>> [line for line in lines if "9" in line]
        ['-91', '+90']

        The spread of times and of their ratio differs too, and the difference of two times has
        either sign:

        >>> page = "```console\n$ qat run\n2 ms (1 to {}): {}× (1 to\n  {}) as fast\n```\n"
        >>> differences(page.format(3, 1.84, 2.4), page.format(4, 0.9, 2.3))
        []
        >>> page = "```console\n$ qat compare a b\nlatency_ms [ms] {}\n```\n"
        >>> differences(page.format("-0.1"), page.format("0.2"))
        []
    """
    alike = _machine(committed) == _machine(new)
    before, after = (list(_masked(without_footer(text), alike)) for text in (committed, new))
    return list(difflib.unified_diff(before, after, "committed", "new", n=6, lineterm=""))


def has_footer(text: str) -> bool:
    """Whether the page has been run."""
    return bool(_FOOTER.search(text))


def _machine(text: str) -> str:
    match = _FOOTER.search(text)
    return match[0] if match else ""


def _masked(text: str, alike: bool) -> Iterator[str]:
    """Lines of the page, and words of its output, with a word in the place of what may differ."""
    before: Part | None = None
    for part in read_parts(text):
        owner = before if part.kind is Kind.OUTPUT and before else part
        if part.kind in (Kind.CONSOLE, Kind.OUTPUT):
            yield from _words(part.text.splitlines(), owner.varies or not alike)
        else:
            yield from part.text.splitlines()
        if part.kind is not Kind.PROSE:
            before = part


def _words(lines: list[str], varies: bool) -> Iterator[str]:
    """Commands as they are, and the words between them: where lines break depends on the times."""
    output: list[str] = []
    for line in [*lines, PROMPT]:
        if line.startswith(PROMPT):
            yield from _mask(" ".join(output)).split()
            yield line
            output = []
        elif not _STAGE.match(line):
            without = varies or _OF_TIMES.search(line)
            output.append(_NUMBER.sub("N", line) if without else line)


def _mask(text: str) -> str:
    for pattern, word in _ALWAYS:
        text = pattern.sub(word, text)
    return _LINES.sub("--", text)
