"""Write files completely or not at all."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qat.base.errors import FileUnavailableError

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG)


class WriteError(FileUnavailableError):
    """A file could not be written. The message says which, why, and what to do.

    A file that was already at this path is unchanged.
    """


@contextmanager
def atomic_path(path: Path, suffix: str = ".tmp") -> Iterator[Path]:
    """Yield a temporary path; the file written there replaces ``path`` when the block succeeds.

    The file is flushed to disk before it is renamed. After any error the temporary file is
    deleted, and an older file at ``path`` is unchanged.

    Args:
        path: The final file; its folder is created if it does not exist.
        suffix: Ending of the temporary name, for writers that choose a format by it.

    Raises:
        WriteError: If the disk refuses (full, read-only), with the same ``errno``.
    """
    # Not by tempfile: its files have stricter permissions. Two processes never share this name.
    aside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{suffix}")
    try:
        with _disk_errors_name(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield aside
        except OSError as error:
            # Other errors come from the block itself: a missing input is not a failed write.
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
    """Write UTF-8 text completely or not at all.

    Args:
        path: The final file; its folder is created if it does not exist.
        text: The whole content.

    Raises:
        WriteError: If the disk refuses (full, read-only), see :func:`atomic_path`.
    """
    with atomic_path(path) as aside, _disk_errors_name(path):
        aside.write_text(text, encoding="utf-8")


def write_error(path: Path, error: OSError) -> WriteError:
    """The error of a failed write as one readable line, with the same ``errno``.

    Args:
        path: The file that could not be written.
        error: What the operating system raised; a :class:`WriteError` is returned unchanged.
    """
    if isinstance(error, WriteError):
        return error
    wrapped = WriteError(
        f"could not write {path}: {error.strerror or error}; free space or choose another folder "
        f"(paths.runs, paths.cache); an existing file is unchanged"
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
