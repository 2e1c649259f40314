"""``qat table``: the table over run records; loads neither torch nor Hydra."""

import sys
from collections.abc import Sequence
from pathlib import Path

from qat.cli.configs import default_path
from qat.cli.errors import DONE, FAILED, RequestError
from qat.records.atomic import write_atomic
from qat.records.store import find_records
from qat.tables.errors import TableError
from qat.tables.render import render
from qat.tables.table import Table, make_table


def table_command(dirs: Sequence[Path], form: str, out: Path | None, strict: bool) -> int:
    """Print or write the table.

    Raises:
        RequestError: If a folder is not there or holds no record.
    """
    folders = list(dirs) or [default_path("runs")]
    for folder in folders:
        if not folder.exists():
            raise RequestError(f"{folder} is not there; `qat run` makes runs")
    try:
        text = table_text(folders, form, strict)
    except TableError as error:
        print(f"qat: {error}", file=sys.stderr)
        return FAILED
    if out is None:
        print(text)
    else:
        write_atomic(out, text + "\n")
    return DONE


def table_text(folders: Sequence[Path], form: str, strict: bool) -> str:
    """The rendered table over all records under these folders."""
    return render(table_of_folders(folders, strict), form)


def table_of_folders(folders: Sequence[Path], strict: bool = False) -> Table:
    """The table over all records under these folders.

    Raises:
        RequestError: If there is none.
        TableError: If it is to be strict and rows are not comparable.
    """
    records, problems = find_records(folders)
    if not records and not problems:
        raise RequestError(f"no run.json under {', '.join(map(str, folders))}")
    return make_table(records, strict=strict, problems=problems)
