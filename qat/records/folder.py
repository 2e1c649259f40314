"""One run's folder: ``runs/<id>`` with its record, its lock and its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qat.base.errors import InputError
from qat.base.reading import UnreadableError, file_digest
from qat.records.lock import locked
from qat.records.schema import Artifact, RunRecord
from qat.records.side_files.verified import SideFileError
from qat.records.store import RECORD_NAME, read_record, seen_record, write_record


class RunFolder:
    """A run folder; it is made by :meth:`create`, not before.

    Args:
        path: ``runs/<id>``.

    Attributes:
        path: The same.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def record_path(self) -> Path:
        """The path of the record, whether it exists or not."""
        return self.path / RECORD_NAME

    def create(self) -> "RunFolder":
        """Make the folder if it does not exist."""
        self.path.mkdir(parents=True, exist_ok=True)
        return self

    @contextmanager
    def lock(self) -> Iterator["RunFolder"]:
        """Hold the run's lock during the block.

        Raises:
            LockedError: If another process holds it; it names the process.
        """
        with locked(self.path):
            yield self

    def state(self) -> str:
        """The status for a reader: ``absent``, ``running``, ``interrupted``, ``done``, ``failed``.

        Raises:
            RecordError: If the record is damaged.
        """
        return seen_record(self.path).status if self.record_path.exists() else "absent"

    def read(self) -> RunRecord:
        """The record as it is stored.

        Raises:
            RecordError: If it is missing or damaged.
        """
        return read_record(self.path)

    def write(self, record: RunRecord) -> Path:
        """Write the record, whole or not at all.

        Raises:
            RecordError: See :func:`qat.records.store.write_record`.
            WriteError: If the disk refuses; an earlier record stays.
        """
        return write_record(record, self.path)

    def artifact(self, path: Path) -> Artifact:
        """Size and digest of a file in this folder, for the record.

        Raises:
            InputError: If the file is not under this folder, or is no regular file.
        """
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise InputError(f"{path} is not in the run folder {self.path}; copy it there first")
        relative = path.resolve().relative_to(self.path.resolve()).as_posix()
        return Artifact(relative, path.stat().st_size, file_digest(path))

    def verified(self, artifact: Artifact) -> Path:
        """The path of a file of the record, after its digest was checked.

        Raises:
            SideFileError: If the file is gone, is no regular file, or has another digest.
        """
        path = self.path / artifact.path
        try:
            digest = file_digest(path)
        except FileNotFoundError as error:
            raise SideFileError(f"{path} is gone: run it again with force=true") from error
        except UnreadableError as error:
            raise SideFileError(f"{path} is {error}: run it again with force=true") from error
        except OSError as error:
            raise SideFileError(f"{path} cannot be read: {error.strerror or error}") from error
        if digest != artifact.sha256:
            raise SideFileError(
                f"{path} is not the file that was written (its SHA-256 differs): it was altered or "
                "damaged; run it again with force=true"
            )
        return path
