"""The comments of YAML files and of the schema, by key."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

_KEY = re.compile(r"( *)([\w@/]+):(?=\s|$)(.*)$")
_TRAILING = re.compile(r"(?:^|\s)#\s?(.*)$")


def yaml_comments(text: str) -> dict[str, str]:
    r"""Key in full → its comment, of a YAML file.

    A comment belongs to the key of its line, or to the key below if it has lines of its own. Lines
    of comment that are indented more than a key with a comment continue that comment. The comment
    at the top is that of the file.

    Example:
        >>> yaml_comments("# The file.\na:\n  b: 1  # one\n# two\nc: {d: 2}\n")
        {'a.b': 'one', 'c': 'two'}
    """
    comments: dict[str, str] = {}
    above: list[str] = []
    parents: list[tuple[int, str]] = []
    for line in _after_head(text):
        key, comment = _KEY.match(line), _TRAILING.search(line)
        if key:
            parents = [(depth, name) for depth, name in parents if depth < len(key[1])]
            parents.append((len(key[1]), key[2]))
            if own := [*above, *([comment[1]] if comment else [])]:
                comments[_name(parents)] = " ".join(own)
            above = []
        elif comment and parents and _indent(line) > parents[-1][0] and _name(parents) in comments:
            comments[_name(parents)] += f" {comment[1]}"
        elif comment:
            above.append(comment[1])
        else:
            above = []
    return comments


def field_comments(source: str) -> dict[tuple[str, str], str]:
    r"""``(class, field)`` → the comment at the end of the field's line, of a Python file.

    Example:
        >>> field_comments("class A:\n    n: int = 1  # how many\n")
        {('A', 'n'): 'how many'}
    """
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    by_line = {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}
    return {
        (owner.name, entry.target.id): by_line[entry.end_lineno]
        for owner in ast.parse(source).body
        if isinstance(owner, ast.ClassDef)
        for entry in owner.body
        if isinstance(entry, ast.AnnAssign)
        and isinstance(entry.target, ast.Name)
        and entry.end_lineno in by_line
    }


def _after_head(text: str) -> Iterator[str]:
    """The lines after the comment of the file."""
    lines = text.splitlines()
    head = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return iter(lines[head:])


def _name(parents: list[tuple[int, str]]) -> str:
    return ".".join(name for _, name in parents)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
