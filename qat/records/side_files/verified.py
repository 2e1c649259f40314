"""Read a file of a run, and compare it with the digest in the run's record.

A file with another digest is not the run's file and is refused by its name. An older record may
have no digest of a file; the file is read then, and marked as unverified.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from qat.base.errors import InputError
from qat.base.reading import UnreadableError, read_bytes
from qat.records.schema import RunRecord


class SideFileError(InputError):
    """A file of a run is gone, cannot be read, or is not the one that the run wrote."""


@dataclass(frozen=True, slots=True)
class SideFile:
    """A file's content.

    Attributes:
        path: Where it is.
        content: All of it.
        verified: False if the record has no digest of it.
    """

    path: Path
    content: bytes
    verified: bool


def side_file(folder: Path, record: RunRecord, artifact: str, usual: str) -> SideFile | None:
    """Read one file of a run, whole, and compare its digest.

    Args:
        folder: The run's.
        record: Of that run.
        artifact: Name of the file in the record.
        usual: Its name in the folder, used if the record does not name it.

    Returns:
        The file; None if the run has none.

    Raises:
        SideFileError: If it is gone, is no regular file, is too large, or is another one.
    """
    known = record.artifacts.get(artifact)
    path = folder / (usual if known is None else known.path)
    if known is None and not os.path.lexists(path):
        return None
    content = read_content(path)
    if known is not None and hashlib.sha256(content).hexdigest() != known.sha256:
        raise SideFileError(
            f"{path} is not the file that the run wrote (its SHA-256 differs): it was altered or "
            "damaged"
        )
    return SideFile(path, content, known is not None)


def read_content(path: Path) -> bytes:
    """All of a file.

    Raises:
        SideFileError: If it is gone, is no regular file, is too large, or cannot be read.
    """
    try:
        return read_bytes(path)
    except FileNotFoundError as error:
        raise SideFileError(f"{path} is gone") from error
    except UnreadableError as error:
        raise SideFileError(f"{path} is {error}") from error
    except OSError as error:
        raise SideFileError(f"{path} cannot be read: {error.strerror or error}") from error
