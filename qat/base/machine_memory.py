"""How much memory this process may use: the machine's, or less in a container."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_UNKNOWN_BYTES = 4 * 2**30
"""Assumed where the system does not tell the size of its memory."""


def usable_memory_bytes(root: Path = Path("/")) -> int:
    """Return the memory of the machine, or the lowest limit of the control groups of the process.

    Containers and job schedulers set these limits (``memory.max`` in version 2 of Linux's control
    groups, ``memory.limit_in_bytes`` in version 1), on the group of the process or on a group above
    it.

    Args:
        root: Folder that has ``proc`` and ``sys``.

    Example:
        >>> usable_memory_bytes() > 0
        True
    """
    return min([_machine_bytes(), *_group_limits_bytes(root)])


def _machine_bytes() -> int:
    with suppress(AttributeError, OSError, ValueError):  # Windows has no sysconf
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if size > 0:
            return size
    return _UNKNOWN_BYTES


def _group_limits_bytes(root: Path) -> Iterator[int]:
    for file in _limit_files(root):
        with suppress(OSError, ValueError):  # no such file, or "max": no limit
            yield int(file.read_text(encoding="utf-8"))


def _limit_files(root: Path) -> Iterator[Path]:
    """The files with a limit of the process's groups and of those above them.

    In a container the listed group may lie outside of what is mounted; its own limit is then in
    the mounted folder itself, which is the last folder of each list here.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            mounted, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            mounted, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        path = PurePosixPath(group.lstrip("/"))
        yield from (mounted / each / name for each in (path, *path.parents))
