"""A cache keyed by content: a result that was computed once is found again.

Each entry is a file. Beside it are its SHA-256, in the layout of ``sha256sum``, and the key that it
was made from, for people to read. An entry can be deleted at any time, and so can the whole cache.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qat.base.atomic import atomic_path, write_atomic, write_error
from qat.base.errors import InputError
from qat.base.reading import UnreadableError, decoded, file_digest, read_bytes
from qat.records.schema import canonical_json

KEY_DIGITS = 24
DIGEST_SUFFIX = ".sha256"
LARGEST_DIGEST = 4096


class Cache:
    """A folder of entries that processes share.

    Args:
        root: Where the entries are; made together with the first entry.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, kind: str, key: Mapping[str, Any], suffix: str = "") -> Path:
        """The path of an entry, whether it exists or not.

        Args:
            kind: A word for what it is; each kind has a folder.
            key: Everything that determines the content, as plain data.
            suffix: Ending of the file name, such as ``.safetensors``.

        Raises:
            InputError: If the key is not plain finite data, or the kind is no folder name.

        Example:
            >>> Cache(Path("cache")).path_of("plans", {"bits": 4}, ".json").as_posix()
            'cache/plans/82371be0f920a4e53a8a3b05.json'
        """
        if not kind or Path(kind).name != kind or kind.startswith("."):
            raise InputError(f"kind must be a plain folder name, got {kind!r}")
        digest = hashlib.sha256(canonical_json(dict(key)).encode()).hexdigest()
        return self.root / kind / f"{digest[:KEY_DIGITS]}{suffix}"

    def find(self, kind: str, key: Mapping[str, Any], suffix: str = "") -> Path | None:
        """The entry's file; None if it is absent or damaged.

        Args:
            kind: A word for what it is.
            key: Everything that determines the content, as plain data.
            suffix: Ending of the file name.

        Raises:
            InputError: See :meth:`path_of`.
        """
        path = self.path_of(kind, key, suffix)
        return path if _is_whole(path) else None

    def get_or_make(
        self,
        kind: str,
        key: Mapping[str, Any],
        make: Callable[[Path], None],
        suffix: str = "",
    ) -> Path:
        """The entry's file; ``make`` writes it if it is absent or damaged.

        If several processes need the same entry at the same time, one makes it and the others
        wait.

        Args:
            kind: A word for what it is.
            key: Everything that determines the content, as plain data.
            make: Writes the content to the path that is its argument (with the same suffix).
            suffix: Ending of the file name.

        Returns:
            The file. Read it at once: a user may clean the cache at any time.

        Raises:
            InputError: See :meth:`path_of`; also if ``make`` wrote nothing.
            WriteError: If the disk refuses; no half-written file is left.
        """
        path = self.path_of(kind, key, suffix)
        if _is_whole(path):
            return path
        from filelock import FileLock  # takes 0.15 s to import; an entry that exists needs none

        lock = FileLock(path.with_name(f"{path.name}.lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = lock.acquire()
        except OSError as error:
            raise write_error(path, error) from error
        with held:
            if not _is_whole(path):  # no other process made it in the meantime
                _make(path, dict(key), make)
        return path


def damaged_entries(root: Path) -> list[Path]:
    """Entries of a cache that no request would use: those whose digest is wrong.

    An entry that a process is making now (its lock is held) is left out, and so is everything that
    has no digest by design: folders of trainings that can be resumed, compiled code.
    """
    from filelock import FileLock, Timeout

    damaged = []
    kinds = () if root.is_symlink() else sorted(root.glob("*"))
    digests = (d for k in kinds if not k.is_symlink() for d in sorted(k.glob(f"*{DIGEST_SUFFIX}")))
    for digest in digests:
        path = digest.with_name(digest.name.removesuffix(DIGEST_SUFFIX))
        if path.is_symlink() or not path.is_file() or _is_whole(path):
            continue
        lock = path.with_name(f"{path.name}.lock")
        if lock.is_symlink():  # old versions of filelock would follow it
            continue
        try:
            with FileLock(lock).acquire(blocking=False):
                damaged.append(path)
        except (Timeout, OSError):
            continue
    return damaged


def is_being_made(aside: Path) -> bool:
    """Whether a process is making the entry of a half-written file now."""
    from filelock import FileLock, Timeout

    lock = aside.with_name(aside.name.lstrip(".").split(".")[0])
    for path in sorted(lock.parent.glob(f"{lock.name}*.lock")):
        try:
            with FileLock(path).acquire(blocking=False):
                continue
        except (Timeout, OSError):
            return True
    return False


def _make(path: Path, key: Mapping[str, Any], make: Callable[[Path], None]) -> None:
    # The digest is deleted first and written last: in between there is no entry, never a wrong one.
    digest_path = _digest_path(path)
    digest_path.unlink(missing_ok=True)
    with atomic_path(path, suffix=path.suffix) as aside:
        make(aside)
        if not aside.is_file():
            raise InputError(f"nothing was written for the cache entry {path}")
        digest = file_digest(aside)
    write_atomic(path.with_name(f"{path.name}.key.json"), json.dumps(key, indent=1) + "\n")
    write_atomic(digest_path, f"{digest}  {path.name}\n")


def _digest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}{DIGEST_SUFFIX}")


def _is_whole(path: Path) -> bool:
    try:
        expected = decoded(read_bytes(_digest_path(path), LARGEST_DIGEST)).split()
        return bool(expected) and expected[0] == file_digest(path)
    except (OSError, UnreadableError):
        # An entry that is absent, half deleted or unreadable is made anew.
        return False
