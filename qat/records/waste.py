"""Files and folders in runs and cache that are not needed any more, and how they are deleted.

Folders are examined with ``lstat`` and deleted through descriptors of their parents, which are
opened without following links. If a folder is replaced by a link in the meantime, nothing outside
is deleted.
"""

import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qat.records.cache import damaged_entries, is_being_made
from qat.records.file_names import CHECKPOINTS
from qat.records.folder import RunFolder
from qat.records.lock import HOLDER_NAME, LOCK_NAME, LockedError, is_held, locked
from qat.records.schema import RecordError

NOTHING = frozenset([LOCK_NAME, HOLDER_NAME])
_HALF_WRITTEN = re.compile(r"\..+\.\d+(-[0-9a-f]{8})?(\.\w+)?|.+\.part")
"""Names of files while the writers of this project write them."""


@dataclass(frozen=True)
class Waste:
    """A file or folder that is not needed.

    Attributes:
        path: Of the file or folder.
        reason: Why it is not needed.
        bytes: Freed by its deletion; 0 for a file that has another name as well.
        still: Whether it can be deleted; called again just before its deletion.
        run: The run folder whose lock is held during the deletion; None outside of runs.
    """

    path: Path
    reason: str
    bytes: int
    still: Callable[[], bool]
    run: Path | None = None


def waste_of_runs(runs: Path) -> Iterator[Waste]:
    """Spare checkpoints of finished runs, half-written files, and folders without a run."""
    for folder in _folders(runs):
        if folder.name.startswith(".") or is_held(folder):
            continue
        empty = partial(_is_empty, folder)
        if empty():
            yield Waste(folder, "no run ever started in it", size(folder), empty)
            continue
        for path in half_written(folder):
            yield Waste(path, "left half written", size(path), _always, folder)
        spare = partial(_has_spare_checkpoints, folder)
        if spare():
            path = folder / CHECKPOINTS
            yield Waste(path, "checkpoints of a finished run", size(path), spare, folder)


def waste_of_cache(cache: Path) -> Iterator[Waste]:
    """Damaged entries, which the next request would compute anew, and half-written files."""
    for path in damaged_entries(cache):
        yield Waste(path, "damaged or left half made", size(path), _always)
    for kind in _folders(cache):
        for path in half_written(kind):
            still = partial(_is_abandoned, path)
            if still():
                yield Waste(path, "left half written", size(path), still)


def delete(waste: Waste) -> bool:
    """Delete it; False if it is needed now, or another process holds the lock of its run.

    Raises:
        OSError: If the system refuses.
    """
    if waste.run is None:
        return _delete_if_still(waste)
    if waste.run.is_symlink():
        return False
    try:
        with locked(waste.run):
            return _delete_if_still(waste)
    except LockedError:
        return False


def half_written(folder: Path) -> list[Path]:
    """Files in a folder, and in its checkpoints, with the name that they have while written."""
    files = []
    for place in (folder, folder / CHECKPOINTS):
        if not place.is_symlink() and place.is_dir():
            files += [
                path
                for path in sorted(place.iterdir())
                if _HALF_WRITTEN.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode)
            ]
    return files


def links_among(folder: Path) -> list[Path]:
    """Links directly in a folder, and directly in its folders."""
    if not folder.is_dir():
        return []
    places = [folder, *(path for path in _folders(folder) if not path.name.startswith("."))]
    return [path for place in places for path in place.iterdir() if path.is_symlink()]


def size(path: Path) -> int:
    """Bytes that deleting a file or folder frees; links are not followed."""
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode):
        return facts.st_size if facts.st_nlink == 1 else 0
    return sum(
        entry.st_size
        for folder, _, names in os.walk(path, followlinks=False)
        for entry in (Path(folder, name).lstat() for name in names)
        if entry.st_nlink == 1
    )


def _folders(parent: Path) -> list[Path]:
    """Folders in a folder, without links to folders."""
    if parent.is_symlink() or not parent.is_dir():
        return []
    with os.scandir(parent) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return [parent / name for name in sorted(names)]


def _always() -> bool:
    return True


def _is_abandoned(path: Path) -> bool:
    return not is_being_made(path)


def _is_empty(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} <= NOTHING and not is_held(folder)


def _has_spare_checkpoints(folder: Path) -> bool:
    path = folder / CHECKPOINTS
    if path.is_symlink() or not path.is_dir() or folder.is_symlink():
        return False
    try:
        return RunFolder(folder).state() == "done"
    except RecordError:
        return False  # damaged: the checkpoints may be all that is left of the run


def _delete_if_still(waste: Waste) -> bool:
    if not waste.still():
        return False
    parent = os.open(waste.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        name = waste.path.name
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
        elif name == CHECKPOINTS:
            shutil.rmtree(name, dir_fd=parent)
        else:
            _delete_empty(name, parent)
    finally:
        os.close(parent)
    return True


def _delete_empty(name: str, parent: int) -> None:
    """Delete a folder with a lock only; if a run begins in it now, it is not empty and stays."""
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        for file in NOTHING:
            with suppress(FileNotFoundError):
                os.unlink(file, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=parent)
