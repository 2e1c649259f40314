"""Read untrusted files safely: without blocking, up to a limit of size, and only as data.

Folders of runs come from other people and other machines. A file named ``run.json`` may be a pipe
without a writer, a device, 100 MB of brackets, or JSON that only resembles a record. Reading it
returns data or raises one error that says what is wrong, in bounded time and memory.
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
"""Largest file that is read as text or JSON; records and their side files stay below 1 MB."""
LARGEST_INTEGER = 2**64
DEEPEST = 64
"""Largest number of levels of nested lists and mappings."""

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
    """A file is not a regular file, is too large, or does not contain the expected kind of data."""


def read_bytes(path: Path, limit: int = LARGEST_BYTES) -> bytes:
    """The content of a regular file; a link to one is followed.

    Args:
        path: The file.
        limit: Largest size, in bytes.

    Raises:
        UnreadableError: If it is a folder, a pipe, a device, or larger than ``limit`` bytes.
        OSError: If it does not exist, or may not be read.
    """
    _check_regular(path.stat())  # even opening a device can have an effect
    # If a pipe has replaced the file since the check, opening it does not wait for a writer.
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
        UnreadableError: If it is not a regular file.
        OSError: If it does not exist, or may not be read.
    """
    _check_regular(path.stat())
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(os.fstat(descriptor))
        return hashlib.file_digest(file, "sha256").hexdigest()


def decoded(content: bytes) -> str:
    """Bytes as UTF-8 text.

    Raises:
        UnreadableError: If they are not UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"not UTF-8 text: byte {error.start} is {error.reason}") from error


def parse_json(content: bytes) -> Any:
    """Parse JSON that every reader can handle.

    Stricter than Python's parser: the keys of a mapping differ, numbers are finite, the magnitude
    of integers is below 2^64, text can be encoded as UTF-8, and at most :data:`DEEPEST` levels are
    nested.

    Raises:
        UnreadableError: If the content breaks one of these rules; the message says which.

    Example:
        >>> parse_json(b'{"top1": 0.92}')
        {'top1': 0.92}
        >>> parse_json(b'{"top1": NaN}')
        Traceback (most recent call last):
        ...
        qat.base.reading.UnreadableError: NaN is not JSON
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
        raise UnreadableError(f"not JSON: {str(error)[:200]}") from error
    return data


def read_json(path: Path, limit: int = LARGEST_BYTES) -> Any:
    """Parse a regular file as JSON, see :func:`parse_json`.

    Args:
        path: The file.
        limit: Largest size, in bytes.

    Raises:
        UnreadableError: See :func:`read_bytes` and :func:`parse_json`.
        OSError: If the file does not exist, or may not be read.
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
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise UnreadableError(f"the key {repeated[:100]!r} appears twice")
    return data


def _may_be_deep(content: bytes) -> bool:
    """False for JSON of at most 24 levels; brackets inside text can make it True."""
    brackets = content.translate(None, _OTHERS)
    for _ in range(24):
        if not brackets:
            return False
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


def _check_values(data: Any) -> None:
    """Raise UnreadableError for a lone surrogate, or for too many levels."""
    unchecked = [(data, 1)]
    while unchecked:
        value, depth = unchecked.pop()
        if depth > DEEPEST:
            raise UnreadableError(f"nested deeper than {DEEPEST} levels")
        if isinstance(value, dict):
            unchecked += [(inner, depth + 1) for inner in (*value.keys(), *value.values())]
        elif isinstance(value, list):
            unchecked += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str):
            _check_text(value)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UnreadableError(f"a lone surrogate (half of a character) in {text[:60]!a}") from error
