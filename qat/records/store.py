"""Run records on disk: write, read, find."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from qat.base.atomic import write_atomic
from qat.base.reading import UnreadableError, read_json
from qat.base.text import plain_line
from qat.records.lock import is_held
from qat.records.schema import RecordError, RunRecord

RECORD_NAME = "run.json"
LARGEST_RECORD = 8 * 2**20
"""Bytes of the largest record that is read; records of the largest networks have about 200 kB."""
LONGEST_REASON = 300
SEARCH_DEPTH = 4
"""Levels of folders that are searched: runs/<study>/<group>/<id> and one more."""


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """A record that could not be read: its path, and the reason in one line."""

    path: Path
    reason: str


def write_record(record: RunRecord, folder: Path) -> Path:
    """Write ``folder/run.json``, whole or not at all.

    Args:
        record: Of any status that is stored.
        folder: The run's.

    Raises:
        RecordError: If the status is ``interrupted``, which only readers see, or a value is not
            plain data.
        WriteError: If the disk refuses; an earlier record stays.
    """
    if record.status == "interrupted":
        raise RecordError(f"run {record.id}: interrupted is what readers see, never stored")
    path = folder / RECORD_NAME
    try:
        text = json.dumps(record.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RecordError(f"run {record.id} holds what JSON cannot: {error}") from error
    write_atomic(path, text + "\n")
    return path


def read_record(path: Path) -> RunRecord:
    """Read one record as it is stored.

    Args:
        path: The run folder, or its ``run.json``.

    Raises:
        RecordError: If it is missing, damaged, no record, or newer than this program; in one line
            that names the file.
    """
    file = path / RECORD_NAME if path.is_dir() else path
    try:
        data = read_json(file, LARGEST_RECORD)
        if not isinstance(data, dict):
            raise RecordError(f"not a run record: a JSON {type(data).__name__}")
        return RunRecord.from_dict(data)
    except FileNotFoundError as error:
        raise RecordError(f"{file}: no such record; give a run folder or its run.json") from error
    except OSError as error:
        raise RecordError(f"{file}: cannot be read: {error.strerror or error}") from error
    except RecordError as error:
        raise RecordError(f"{file}: {plain_line(str(error), LONGEST_REASON)}") from error
    except UnreadableError as error:
        raise RecordError(f"{file}: damaged: {plain_line(str(error), LONGEST_REASON)}") from error


def seen_record(path: Path) -> RunRecord:
    """Read one record as readers see it: a running one whose lock is free is ``interrupted``.

    Raises:
        RecordError: See :func:`read_record`.
    """
    record = read_record(path)
    folder = path if path.is_dir() else path.parent
    if record.status == "running" and not is_held(folder):
        # It may have ended after it was read and before its lock was tested.
        record = read_record(path)
        if record.status == "running":
            return replace(record, status="interrupted")
    return record


def find_records(paths: Iterable[Path]) -> tuple[list[RunRecord], list[RecordProblem]]:
    """Read every record under some folders.

    Of two records with one id, the one counts whose folder has that name, else the first one; the
    other is a problem if it differs. No damaged record stops the search.

    Args:
        paths: Folders, or ``run.json`` files.

    Returns:
        The records as readers see them, in the order of their paths, and the problems.
    """
    records: dict[str, tuple[Path, RunRecord]] = {}
    problems: list[RecordProblem] = []
    for path in paths:
        if not path.exists():
            problems.append(RecordProblem(path, "no such folder or file"))
        for file in _record_files(path, SEARCH_DEPTH, problems):
            try:
                record = seen_record(file)
            except RecordError as error:
                problems.append(RecordProblem(file, str(error).removeprefix(f"{file}: ")))
                continue
            if (problem := _placed(records, file, record)) is not None:
                problems.append(problem)
    return [record for _, record in records.values()], problems


def _placed(
    records: dict[str, tuple[Path, RunRecord]], file: Path, record: RunRecord
) -> RecordProblem | None:
    """Add a record to the others; the problem, if another one with its id differs."""
    if record.id not in records:
        records[record.id] = file, record
        return None
    first, other = records[record.id]
    if record == other:
        return None
    if file.parent.name == record.id != first.parent.name:
        records[record.id] = file, record
        first, file = file, first
    return RecordProblem(file, f"another record of the id {record.id} is in {first.parent}")


def _record_files(path: Path, depth: int, problems: list[RecordProblem]) -> Iterator[Path]:
    if path.is_dir():
        yield from _in_folder(str(path), depth, problems)
    elif path.exists():
        yield path


def _in_folder(folder: str, depth: int, problems: list[RecordProblem]) -> Iterator[Path]:
    # os.scandir needs one system call for a folder; Path.is_dir needs one for each entry.
    try:
        with os.scandir(folder) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return  # just deleted
    except OSError as error:
        problems.append(RecordProblem(Path(folder), f"cannot be read: {error.strerror or error}"))
        return
    if any(entry.name == RECORD_NAME for entry in children):
        yield Path(folder) / RECORD_NAME
    elif depth > 0:
        for entry in children:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from _in_folder(entry.path, depth - 1, problems)
