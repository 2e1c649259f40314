"""The files beside a run's record, each held against the digest that the record has of it.

A file whose digest differs is not the run's, whatever it holds: it is refused by name. A record
made before a file's digest was kept is still read; the file is then taken unverified.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from qat.base.errors import InputError
from qat.base.reading import UnreadableError, parse_json, read_bytes
from qat.base.text import plain_line
from qat.records.file_names import USUAL_NAMES
from qat.records.schema import RunRecord

Made = TypeVar("Made")
LONGEST_REASON = 300
# What a reader raises who takes data apart that is not of the shape it was written in.
_SHAPE_ERRORS = (
    *(KeyError, IndexError, TypeError, ValueError, AttributeError),
    *(ArithmeticError, RecursionError),
)


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

    def json(self) -> Any:
        """The content as JSON.

        Raises:
            SideFileError: If it is none.
        """
        try:
            return parse_json(self.content)
        except UnreadableError as error:
            raise SideFileError(f"{self.path}: {error}") from error


def side_file(folder: Path, record: RunRecord, artifact: str, usual: str) -> SideFile | None:
    """Read one file of a run, whole, and hold it against its digest.

    Args:
        folder: The run's.
        record: Of that run.
        artifact: Name of the file in the record.
        usual: Its name in the folder, where the record does not name it.

    Returns:
        The file; None if the run has none.

    Raises:
        SideFileError: If it is gone, is no regular file, is too large, or is another one.
    """
    known = record.artifacts.get(artifact)
    path = folder / (usual if known is None else known.path)
    if known is None and not os.path.lexists(path):
        return None
    try:
        content = read_bytes(path)
    except FileNotFoundError as error:
        raise SideFileError(f"{path} is gone") from error
    except UnreadableError as error:
        raise SideFileError(f"{path} is {error}") from error
    except OSError as error:
        raise SideFileError(f"{path} cannot be read: {error.strerror or error}") from error
    if known is not None and hashlib.sha256(content).hexdigest() != known.sha256:
        raise SideFileError(
            f"{path} is not the file that the run wrote (its SHA-256 differs): it was altered or "
            "damaged"
        )
    return SideFile(path, content, known is not None)


@contextmanager
def shaped(path: Path) -> Iterator[None]:
    """Take data from a file apart; what does not fit names the file.

    Raises:
        SideFileError: If the data is not of the shape that the block expects.
    """
    try:
        yield
    except SideFileError:
        raise
    except _SHAPE_ERRORS as error:
        reason = plain_line(f"{type(error).__name__}: {error}", LONGEST_REASON)
        raise SideFileError(f"{path} is not what a run writes ({reason})") from error


def read_as(
    folder: Path, record: RunRecord, artifact: str, make: Callable[[Any], Made]
) -> Made | None:
    """What a function makes of a run's JSON file; None if the run has no such file.

    Raises:
        SideFileError: If the file is not the run's, or of another shape.
    """
    file = side_file(folder, record, artifact, USUAL_NAMES[artifact])
    if file is None:
        return None
    data = file.json()
    with shaped(file.path):
        return make(data)
