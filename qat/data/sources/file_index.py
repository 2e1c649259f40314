"""An index of image files that is kept between runs: an unchanged file is read only once.

Every byte of every file is read before a training starts, so that a truncated file is detected in
time. For a large data set this takes minutes. The index therefore stores the facts of each file
with its path, size and modification time.
"""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from qat.base.atomic import write_atomic
from qat.base.progress import Track
from qat.data.errors import DataError
from qat.data.sources.folder_images import THREADS
from qat.data.sources.image_file import ImageFacts, inspect

_VERSION = 1  # of the way files are read: an index of another version is not used
_SHOWN = 3

FileStamp = tuple[int, int]
"""Size in bytes, and modification time in nanoseconds."""


def facts_of(paths: Iterable[Path], index: Path | None, track: Track) -> dict[Path, ImageFacts]:
    """Facts of each file; an unchanged file is looked up in the index, not read again.

    Args:
        paths: Image files.
        index: File of the index; None keeps nothing.
        track: Shows progress over the files that are read.

    Raises:
        DataError: If files are damaged; the message has their number and the first few of them.
    """
    known = {} if index is None else _read(index)
    stamps = {path: _stamp(path) for path in paths}
    fresh = [path for path, stamp in stamps.items() if known.get(str(path), (None,))[0] != stamp]
    damaged: list[DataError] = []

    def inspect_or_note(path: Path) -> ImageFacts | None:
        try:
            return inspect(path)
        except DataError as error:
            damaged.append(error)
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        results = _Sized(pool.map(inspect_or_note, fresh), len(fresh))
        inspected = list(zip(fresh, track(results), strict=True))
    known |= {str(path): (stamps[path], facts) for path, facts in inspected if facts is not None}
    if index is not None and fresh:
        _write(index, known)
    if damaged:
        raise _together(damaged)
    return {path: known[str(path)][1] for path in stamps}


class _Sized:
    """An iterator with a length, which a progress bar needs."""

    def __init__(self, results: Iterable[Any], count: int) -> None:
        self.results, self.count = results, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Any:
        return iter(self.results)


def _stamp(path: Path) -> FileStamp:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _together(damaged: list[DataError]) -> DataError:
    """One error for all damaged files; it names the first few."""
    texts = sorted(map(str, damaged))
    if len(texts) == 1:
        return DataError(texts[0])
    others = ", ".join(text.partition(": ")[0] for text in texts[1:_SHOWN])
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return DataError(
        f"{len(texts)} images cannot be used: {texts[0]}; the others are {others}{more}"
    )


def _read(index: Path) -> dict[str, tuple[FileStamp, ImageFacts]]:
    """The index; empty if it is missing, damaged or of another version."""
    try:
        stored = json.loads(index.read_text(encoding="utf-8"))
        if stored["version"] != _VERSION:
            return {}
        return {path: _entry(values) for path, values in stored["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _entry(values: list[Any]) -> tuple[FileStamp, ImageFacts]:
    size, changed, sha256, mode, height, width, turn, traits = values
    sides = int(height), int(width), int(turn)
    facts = ImageFacts(str(sha256), str(mode), *sides, traits=tuple(map(str, traits)))
    return (int(size), int(changed)), facts


def _write(index: Path, known: Mapping[str, tuple[FileStamp, ImageFacts]]) -> None:
    """Write the index atomically; if that fails, the next run only reads all files again."""
    files = {path: [*stamp, *astuple(facts)] for path, (stamp, facts) in known.items()}
    with suppress(OSError):
        write_atomic(index, json.dumps({"version": _VERSION, "files": files}))
