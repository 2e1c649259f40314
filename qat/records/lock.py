"""The lock of a run folder: one process at a time writes a run.

The operating system frees the lock when the process that holds it ends, in whatever way. A small
file beside the lock names that process (the holder), for the message to a second process. The file
also has the time of the holder's last heartbeat: on a shared disk, the lock of a machine that
crashed may stay.
"""

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from qat.base.atomic import write_atomic, write_error
from qat.base.reading import UnreadableError, read_json
from qat.records.schema import RecordError

LOCK_NAME = "run.lock"
HOLDER_NAME = "run.holder.json"
# A reader that tests the lock holds it for an instant; a writer must wait for that, not fail.
PATIENCE_SECONDS = 1.0
HEARTBEAT_SECONDS = 30.0
LARGEST_HOLDER = 2**16
STALE_SECONDS = 300.0
"""A holder on another host without a heartbeat for this long counts as dead."""


class LockedError(RecordError):
    """Another process is writing this run."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder's lock during the block, with a heartbeat.

    Raises:
        LockedError: After one second, if another process holds the lock; it names the process.
        WriteError: If the folder cannot be written.
    """
    from filelock import (
        FileLock,
        Timeout,
    )  # 0.15 s to import, rarely needed

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _is_foreign(folder / LOCK_NAME):
            raise LockedError(f"{folder / LOCK_NAME} is a link or no file: remove it")
        if _stale(holder(folder)):  # the holder's host crashed: nobody has the lock
            (folder / LOCK_NAME).unlink(missing_ok=True)
        held = FileLock(folder / LOCK_NAME).acquire(timeout=PATIENCE_SECONDS, poll_interval=0.02)
    except Timeout as error:
        raise LockedError(
            f"{folder} is being written by {_who(holder(folder))}; wait for it or stop it"
        ) from error
    except OSError as error:
        raise write_error(folder / LOCK_NAME, error) from error
    with held, _heartbeat(folder):
        yield


def is_held(folder: Path) -> bool:
    """Whether a living process, this one included, holds the folder's lock now.

    A holder on another host whose last heartbeat is older than :data:`STALE_SECONDS` is dead. If
    the lock file cannot be opened (in a read-only folder, or because it is a link), the holder file
    decides: the lock is held if that file names another host or a living process of this host.
    """
    from filelock import FileLock, Timeout

    path = folder / LOCK_NAME
    if not path.exists() or _stale(holder(folder)):
        return False
    if not _is_own_file(path):
        return _alive(holder(folder))
    try:
        with FileLock(path).acquire(blocking=False):
            return False
    except Timeout:
        return True
    except OSError:
        return _alive(holder(folder))


@contextmanager
def _heartbeat(folder: Path) -> Iterator[None]:
    """Write that this process is the holder, and repeat it with the time."""
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "since_unix": time.time()}
    ended = threading.Event()
    _beat(folder, facts)

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            with suppress(OSError):  # a disk that is full now may have room at the next beat
                _beat(folder, facts)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(OSError):
            (folder / HOLDER_NAME).unlink(missing_ok=True)


def _beat(folder: Path, facts: Mapping[str, Any]) -> None:
    write_atomic(folder / HOLDER_NAME, json.dumps({**facts, "heartbeat_unix": time.time()}) + "\n")


def _stale(facts: Mapping[str, Any]) -> bool:
    beat = facts.get("heartbeat_unix", facts.get("since_unix"))
    if not isinstance(beat, int | float) or facts.get("host") == socket.gethostname():
        return False  # on this host the lock itself decides
    return time.time() - beat > STALE_SECONDS


def holder(folder: Path) -> Mapping[str, Any]:
    """The holder of the lock: ``pid``, ``host``, ``since_unix``, ``heartbeat_unix``; or empty."""
    try:
        facts = read_json(folder / HOLDER_NAME, LARGEST_HOLDER)
    except (OSError, UnreadableError):
        # The file is absent, or is being replaced: then only the lock itself counts.
        return {}
    return facts if isinstance(facts, dict) else {}


def _is_foreign(path: Path) -> bool:
    return os.path.lexists(path) and not _is_own_file(path)


def _is_own_file(path: Path) -> bool:
    """Whether it is a regular file with one name, so that locking it changes no other file."""
    try:
        facts = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1


def _who(facts: Mapping[str, Any]) -> str:
    if not facts:
        return "another process"
    return f"process {facts.get('pid')} on {facts.get('host')}"


def _alive(facts: Mapping[str, Any]) -> bool:
    if not facts:
        return False
    if facts.get("host") != socket.gethostname():
        return True
    pid = facts.get("pid")
    if isinstance(pid, bool) or not isinstance(pid, int) or not 0 < pid < 2**31:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
