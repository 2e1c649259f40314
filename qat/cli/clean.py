"""``qat clean``: what is safe to delete, and, if told to, its deletion. Dry by default.

Safe is what a finished run does not need any more (its checkpoints: the packed file and the record
stay), folders that hold nothing but a lock, and cache entries that are damaged or left half made.
A run that is being written, was cut off or failed keeps its checkpoints: it goes on from them.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qat.cli.configs import default_path
from qat.cli.errors import DONE, RequestError
from qat.records.cache import damaged_entries
from qat.records.folder import RunFolder
from qat.records.lock import HOLDER_NAME, LOCK_NAME, is_held
from qat.records.schema import RecordError

CHECKPOINTS = "checkpoints"
NOTHING = frozenset([LOCK_NAME, HOLDER_NAME])


@dataclass(frozen=True)
class Waste:
    """Something that can go.

    Attributes:
        path: File or folder.
        reason: Why it is not needed.
        bytes: What it takes.
    """

    path: Path
    reason: str
    bytes: int


def clean_command(runs: Path | None, cache: Path | None, force: bool) -> int:
    """List what is safe to delete; with ``force`` delete it.

    Raises:
        RequestError: If neither folder is there.
    """
    runs, cache = runs or default_path("runs"), cache or default_path("cache")
    if not runs.is_dir() and not cache.is_dir():
        raise RequestError(f"neither {runs} nor {cache} is there: nothing to clean")
    found = [*waste_of_runs(runs), *waste_of_cache(cache)]
    for waste in found:
        print(f"{waste.bytes / 2**20:9.1f} MiB  {waste.path}  ({waste.reason})")
        if force:
            _delete(waste.path)
    total = sum(waste.bytes for waste in found) / 2**20
    hint = "" if force or not found else "; qat clean --force deletes them"
    print(f"{total:9.1f} MiB in {len(found)} places{' deleted' if force else ''}{hint}")
    return DONE


def waste_of_runs(runs: Path) -> Iterator[Waste]:
    """What finished runs do not need, and folders in which no run ever started."""
    for folder in sorted(path for path in runs.glob("*") if path.is_dir()):
        if folder.name.startswith(".") or is_held(folder):
            continue
        names = {path.name for path in folder.iterdir()}
        if names <= NOTHING:
            yield Waste(folder, "no run ever started in it", _size(folder))
        elif _is_done(folder) and CHECKPOINTS in names:
            path = folder / CHECKPOINTS
            yield Waste(path, "checkpoints of a finished run", _size(path))


def waste_of_cache(cache: Path) -> Iterator[Waste]:
    """Entries that would be made anew anyway."""
    for path in damaged_entries(cache):
        yield Waste(path, "damaged or left half made", _size(path))


def _is_done(folder: Path) -> bool:
    try:
        return RunFolder(folder).state() == "done"
    except RecordError:
        return False  # damaged: what is beside it may be all there is


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
