"""What every kind of side file has: a name, a version, and how it is written and read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from qat.base.atomic import write_atomic
from qat.base.errors import InputError
from qat.base.reading import UnreadableError, parse_json
from qat.base.text import plain_line
from qat.records.schema import RunRecord
from qat.records.shapes import wrong_value
from qat.records.side_files.plain_data import from_plain, to_plain
from qat.records.side_files.verified import SideFileError, read_content, side_file

LONGEST_REASON = 300
ANEW = "run it again with force=true"


class NewerVersionError(InputError):
    """A side file is of a later version than this program reads."""


class TypedFile:
    """Base of the frozen dataclasses in this folder; the keys of the JSON are their fields.

    A file without the key ``version`` is of version 1: so are all that were written before a kind
    of file gets its version 2.

    Attributes:
        ARTIFACT: Name of the kind in a record's ``artifacts``.
        NAME: Its name in the run's folder.
        VERSION: The latest version that this program reads, and the one that it writes.
        WRITES_VERSION: Whether the version is in the file. Files of version 1 that never had the
            key do not get it, so that the same run writes the same bytes.
        IS_LIST: Whether version 1 is a JSON list of rows, with no place for a version. The
            dataclass has one field, ``rows``. ``{"version": 1, "rows": [...]}`` is read as well.
        INDENT: Of the JSON text.
    """

    __slots__ = ()
    ARTIFACT: ClassVar[str]
    NAME: ClassVar[str]
    VERSION: ClassVar[int] = 1
    WRITES_VERSION: ClassVar[bool] = False
    IS_LIST: ClassVar[bool] = False
    INDENT: ClassVar[int] = 1

    def to_json(self) -> str:
        """The content of the file.

        Raises:
            InputError: If a value does not fit its field, so that nothing could read the file.
        """
        fields = to_plain(self)
        from_plain(type(self), fields)
        if self.WRITES_VERSION:
            fields = {"version": self.VERSION, **fields}
        elif self.IS_LIST:
            fields = fields["rows"]
        return json.dumps(fields, indent=self.INDENT, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            InputError: See :meth:`to_json`.
            WriteError: If the disk refuses.
        """
        write_atomic(path, self.to_json())

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """The content from JSON data, of this version or an older one.

        Raises:
            InputError: If a key is missing or unknown, or a value is of another type, by its place.
            NewerVersionError: If the version is newer than this program's.
        """
        if cls.IS_LIST and isinstance(data, list):
            data = {"rows": data}
        if not isinstance(data, Mapping):
            raise wrong_value("it", "a list of rows" if cls.IS_LIST else "a mapping", data)
        version = _checked_version(data.get("version", 1), cls.VERSION)
        fields = {key: value for key, value in data.items() if key != "version"}
        content: Self = from_plain(cls, cls.current(fields, version))
        return content

    @classmethod
    def current(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """The fields as :attr:`VERSION` has them; a kind with older files overrides it.

        Args:
            fields: As they are in the file.
            version: Of the file.
        """
        return fields

    @classmethod
    def from_json(cls, text: bytes, path: Path) -> Self:
        """The content of a file.

        Args:
            text: All of the file.
            path: Where it is, for the error.

        Raises:
            SideFileError: In one line that names the file, the field, and what to do.
        """
        try:
            return cls.from_data(parse_json(text))
        except NewerVersionError as error:
            raise SideFileError(f"{path}: {error}") from error
        except UnreadableError as error:
            raise SideFileError(f"{path}: {error}; {ANEW}") from error
        except InputError as error:
            reason = plain_line(str(error), LONGEST_REASON)
            raise SideFileError(f"{path} is not what a run writes: {reason}; {ANEW}") from error

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file without a record to compare it with.

        Raises:
            SideFileError: If it is gone, cannot be read, or does not fit.
        """
        return cls.from_json(read_content(path), path)


AnyFile = TypeVar("AnyFile", bound=TypedFile)


def read_side_file(folder: Path, record: RunRecord, kind: type[AnyFile]) -> AnyFile | None:
    """Read one file of a run; None if the run has none.

    Args:
        folder: The run's.
        record: Of that run. The file must have the digest that is in it, if there is one.
        kind: Which file.

    Raises:
        SideFileError: If the file is gone, is not the run's, cannot be read, or does not fit.
    """
    file = side_file(folder, record, kind.ARTIFACT, kind.NAME)
    return None if file is None else kind.from_json(file.content, file.path)


def _checked_version(version: Any, latest: int) -> int:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise wrong_value("version", "an integer from 1 on", version)
    if version > latest:
        raise NewerVersionError(
            f"version {version} is newer than this program's {latest}: update qatlab"
        )
    return version
