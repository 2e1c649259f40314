"""Files that are there whole or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qat.base.errors import FileUnavailableError

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


class WriteError(FileUnavailableError):
    """A file could not be written; says which, why and what to do. What was there before stays."""


@contextmanager
def atomic_path(path: Path, suffix: str = ".tmp") -> Iterator[Path]:
    """Give a path to write at; what is written there becomes ``path`` when the block ends well.

    The file is flushed to disk before it is renamed. Whatever fails, the temporary file goes and
    an older ``path`` stays as it was.

    Args:
        path: The final file; its folder is made if need be.
        suffix: Ending of the temporary name, where a writer goes by it.

    Raises:
        WriteError: If the disk refuses (full, read-only), with the same ``errno``.
    """
    # A name of our own: processes never share one, and the file gets the usual permissions.
    aside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{suffix}")
    try:
        with _disk_errors_name(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield aside
        except OSError as error:
            # Other errors of the block are its own: a missing input is no failed write.
            if error.errno in DISK_ERRORS:
                raise write_error(path, error) from error
            raise
        with _disk_errors_name(path):
            _flush(aside)
            aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def write_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all.

    Raises:
        WriteError: See :func:`atomic_path`.
    """
    with atomic_path(path) as aside, _disk_errors_name(path):
        aside.write_text(text, encoding="utf-8")


def write_error(path: Path, error: OSError) -> WriteError:
    """One readable line about a write that failed; ``errno`` is kept."""
    if isinstance(error, WriteError):
        return error
    wrapped = WriteError(
        f"could not write {path}: {error.strerror or error}; free space or choose another folder "
        f"(paths.runs, paths.cache); what was there before is unchanged"
    )
    wrapped.errno = error.errno
    return wrapped


@contextmanager
def _disk_errors_name(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(path, error) from error


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
