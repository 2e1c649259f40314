"""Files that may be anything: opened without waiting, read up to a size, taken as data alone.

A folder of runs comes from other people and other machines. What is called ``run.json`` there may
be a pipe that nobody writes to, a device, 100 MB of brackets, or JSON that only looks like a
record. Reading it ends, within bounds, in data or in one error that says what is wrong.
"""

import hashlib
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from qat.base.errors import InputError

LARGEST_BYTES = 32 * 2**20
"""Largest file that is read as text or JSON; records and what lies beside them stay below 1 MB."""
LARGEST_INTEGER = 2**64
DEEPEST = 64
"""How far lists and mappings may lie inside each other."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_BOM = b"\xef\xbb\xbf"
_BRACKETS = b"{}[]"
_OTHERS = bytes(set(range(256)) - set(_BRACKETS))


class UnreadableError(InputError):
    """A file is no regular file, too large, or no data of the kind it should be."""


def read_bytes(path: Path, limit: int = LARGEST_BYTES) -> bytes:
    """The content of a regular file; a link to one is followed.

    Raises:
        UnreadableError: If it is a folder, a pipe, a device, or larger than ``limit`` bytes.
        OSError: If it is not there, or may not be read.
    """
    _check_regular(path.stat())  # a device must not even be opened
    # Should a pipe have taken its place since, opening it does not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(os.fstat(descriptor))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UnreadableError(f"larger than {limit / 2**20:g} MiB")
    return content


def file_digest(path: Path) -> str:
    """SHA-256 of a regular file's content, in hex; of any size.

    Raises:
        UnreadableError: If it is no regular file.
        OSError: If it is not there, or may not be read.
    """
    _check_regular(path.stat())
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(os.fstat(descriptor))
        return hashlib.file_digest(file, "sha256").hexdigest()


def decoded(content: bytes) -> str:
    """Bytes as UTF-8 text.

    Raises:
        UnreadableError: If they are not.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"no UTF-8 text: byte {error.start} is {error.reason}") from error


def parse_json(content: bytes) -> Any:
    """JSON as data that every reader can handle.

    Stricter than Python's own parser: keys are different from each other, numbers are finite and
    integers below 2^64, text can be written as UTF-8, and nothing is nested deeper than
    :data:`DEEPEST`.

    Raises:
        UnreadableError: Otherwise, saying what is wrong.
    """
    if content.startswith(_BOM):
        raise UnreadableError("begins with a byte order mark: save it as UTF-8 without one")
    text = decoded(content)
    try:
        data = json.loads(
            text,
            parse_float=_finite,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
        if b"\\u" in content or _may_be_deep(content):
            _check_values(data)
    except UnreadableError:
        raise
    except RecursionError as error:
        raise UnreadableError(f"nested deeper than {DEEPEST} levels") from error
    except ValueError as error:
        raise UnreadableError(f"no JSON: {str(error)[:200]}") from error
    return data


def read_json(path: Path, limit: int = LARGEST_BYTES) -> Any:
    """A regular file as JSON.

    Raises:
        UnreadableError: See :func:`read_bytes` and :func:`parse_json`.
        OSError: If it is not there, or may not be read.
    """
    return parse_json(read_bytes(path, limit))


def _check_regular(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "something else")
        raise UnreadableError(f"{kind}, not a file")


def _no_constant(name: str) -> NoReturn:
    raise UnreadableError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnreadableError(f"the number {text[:30]} is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > 21 or abs(number := int(text)) >= LARGEST_INTEGER:
        raise UnreadableError(f"the integer {text[:30]} has more than 64 bits")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableError(f"the key {twice[:100]!r} stands in it twice")
    return data


def _may_be_deep(content: bytes) -> bool:
    """False for JSON of at most 24 levels; brackets inside of text may make it true."""
    brackets = content.translate(None, _OTHERS)
    for _ in range(24):
        if not brackets:
            return False
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


def _check_values(data: Any) -> None:
    """Raise UnreadableError at a lone surrogate, or at too many levels."""
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise UnreadableError(f"nested deeper than {DEEPEST} levels")
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for inner in (*value.keys(), *value.values())]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str):
            _check_text(value)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableError(f"half of a character (a lone surrogate) in {text[:60]!a}") from error
