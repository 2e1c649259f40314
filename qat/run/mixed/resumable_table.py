"""Tables that are measured once for all equal requests, and saved row by row until they are whole.

An interrupted measurement continues from the rows that it saved.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from qat.records.cache import Cache

Row = TypeVar("Row")


class SavedTable(Protocol):
    """What can be saved and read again."""

    def save(self, path: Path) -> None:
        """Write the table."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a table."""


AnyTable = TypeVar("AnyTable", bound=SavedTable)


def resumable_table(
    cache: Cache,
    kind: str,
    key: dict[str, Any],
    measure: Callable[[list[Row], Callable[[Row], None]], AnyTable],
    table_type: type[AnyTable],
    row_type: Callable[..., Row],
) -> AnyTable:
    """The table from the cache, or measured.

    Args:
        cache: Of the run.
        kind: A word for what the table is.
        key: Everything that determines its content.
        measure: Rows of an interrupted measurement, and a function that saves another row → table.
        table_type: Class of the table.
        row_type: Dataclass of its rows.
    """
    rows_file = cache.path_of(kind, key).with_suffix(".rows.jsonl")

    def make(path: Path) -> None:
        with _open_rows(rows_file, row_type) as (done, keep):
            table = measure(done, keep)
        table.save(path)
        rows_file.unlink(missing_ok=True)

    return table_type.load(cache.get_or_make(kind, key, make, suffix=".json"))


@contextmanager
def _open_rows(
    path: Path, row_type: Callable[..., Row]
) -> Iterator[tuple[list[Row], Callable[[Row], None]]]:
    """The rows of an interrupted measurement, and a function that saves another row."""
    done = list(_read_rows(path, row_type))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(map(_line, done)), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:

        def keep(row: Row) -> None:
            file.write(_line(row))
            file.flush()

        yield done, keep


def _read_rows(path: Path, row_type: Callable[..., Row]) -> Iterable[Row]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        try:
            yield row_type(**json.loads(line))
        except (ValueError, TypeError):  # the last line is incomplete
            return


def _line(row: Any) -> str:
    return json.dumps(asdict(row)) + "\n"
