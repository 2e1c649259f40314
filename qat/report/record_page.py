"""The TensorBoard page of a run that was computed without one; torch only where one is missing."""

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

    Nothing is computed. It is an extra: where the disk refuses it, that is said and nothing fails.
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
            shutil.rmtree(partial, ignore_errors=True)  # of a kill
            write_pages_of_record(partial, folder.path, record)
            partial.rename(folder.path / EVENTS)
    except LockedError:
        return  # whoever holds it writes it
    except OSError as error:
        complain_line(f"no TensorBoard page of run {folder.path.name}: {error}")
        return
    print_line(f"TensorBoard page of run {record.id}: {left_out(record)}")
