"""TensorBoard pages of runs that were computed without one. Loads torch only to write a page."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from qat.base.printing import complain_line, print_line
from qat.records.folder import RunFolder
from qat.records.lock import LockedError
from qat.tracking.layout import EVENTS

PARTIAL = f"{EVENTS}.partial"


def write_missing_pages(folders: Iterable[Path]) -> None:
    """Write the page of each finished run that has none, from its record and its files.

    Nothing is computed. If a page cannot be written, a line says so and nothing else fails.
    """
    for path in folders:
        if not _has_events(path) and RunFolder(path).state() == "done":
            _write(RunFolder(path))


def _has_events(path: Path) -> bool:
    return any(path.glob(f"{EVENTS}/*tfevents*"))


def _write(folder: RunFolder) -> None:
    from qat.report.pages import left_out, write_pages_of_record

    partial = folder.path / PARTIAL
    try:
        with folder.lock():
            if _has_events(folder.path):
                return
            record = folder.read()
            shutil.rmtree(partial, ignore_errors=True)  # left by a killed process
            write_pages_of_record(partial, folder.path, record)
            partial.rename(folder.path / EVENTS)
    except LockedError:
        return  # the process that has the lock writes the page
    except OSError as error:
        complain_line(f"no TensorBoard page of run {folder.path.name}: {error}")
        return
    print_line(f"TensorBoard page of run {record.id}: {left_out(record)}")
