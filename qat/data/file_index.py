"""What is known of image files, kept between runs: a file that did not change is read once.

Reading every byte of every file is what finds a truncated one before anything is trained; of a
large data set it takes minutes. So what was found is noted by path, size and time of change.
"""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from qat.base.atomic import write_atomic
from qat.data.bundle import Track
from qat.data.errors import DataError
from qat.data.folder_images import THREADS
from qat.data.image_file import ImageFacts, inspect

_VERSION = 1  # of the way files are read: an index of another version is made anew
_SHOWN = 3

Stamp = tuple[int, int]
"""Bytes, and time of change in nanoseconds."""


def facts_of(paths: Iterable[Path], index: Path | None, track: Track) -> dict[Path, ImageFacts]:
    """Facts of each file, from the index where the file is as it was.

    Args:
        paths: Image files.
        index: Where facts are kept; None keeps nothing.
        track: Watches the files go by.

    Raises:
        DataError: If files are damaged, with their number and the first few of them.
    """
    known = {} if index is None else _read(index)
    stamps = {path: _stamp(path) for path in paths}
    fresh = [path for path, stamp in stamps.items() if known.get(str(path), (None,))[0] != stamp]
    damaged: list[DataError] = []

    def look(path: Path) -> ImageFacts | None:
        try:
            return inspect(path)
        except DataError as error:
            damaged.append(error)
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        seen = list(zip(fresh, track(_sized(pool.map(look, fresh), fresh)), strict=True))
    known |= {str(path): (stamps[path], facts) for path, facts in seen if facts is not None}
    if index is not None and fresh:
        _write(index, known)
    if damaged:
        raise _together(damaged)
    return {path: known[str(path)][1] for path in stamps}


class _Sized:
    """Results that come one by one, with the number of them for a progress bar."""

    def __init__(self, results: Iterable[Any], count: int) -> None:
        self.results, self.count = results, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Any:
        return iter(self.results)


def _sized(results: Iterable[Any], of: list[Path]) -> _Sized:
    return _Sized(results, len(of))


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _together(damaged: list[DataError]) -> DataError:
    """One error of all; the first few files stand in it."""
    texts = sorted(map(str, damaged))
    if len(texts) == 1:
        return DataError(texts[0])
    others = ", ".join(text.partition(": ")[0] for text in texts[1:_SHOWN])
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return DataError(
        f"{len(texts)} images cannot be used: {texts[0]}; the others are {others}{more}"
    )


def _read(index: Path) -> dict[str, tuple[Stamp, ImageFacts]]:
    """The index; empty if there is none, or none that can be used."""
    try:
        stored = json.loads(index.read_text(encoding="utf-8"))
        if stored["version"] != _VERSION:
            return {}
        return {path: _entry(values) for path, values in stored["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _entry(values: list[Any]) -> tuple[Stamp, ImageFacts]:
    size, changed, sha256, mode, height, width, turn, traits = values
    sides = int(height), int(width), int(turn)
    facts = ImageFacts(str(sha256), str(mode), *sides, traits=tuple(map(str, traits)))
    return (int(size), int(changed)), facts


def _write(index: Path, known: Mapping[str, tuple[Stamp, ImageFacts]]) -> None:
    """Write, whole or not at all; a disk that refuses costs the next run some time, no more."""
    files = {path: [*stamp, *astuple(facts)] for path, (stamp, facts) in known.items()}
    with suppress(OSError):
        write_atomic(index, json.dumps({"version": _VERSION, "files": files}))
