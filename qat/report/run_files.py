"""The content of the files beside a run's record, as lines. Loads no torch.

Each file is verified against its digest in the record before it is shown. If a file cannot be read,
a line names it, and the others are shown.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qat.base.text import markdown_line
from qat.records.file_names import USUAL_NAMES
from qat.records.schema import RunRecord
from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.latency import LatencyFile
from qat.records.side_files.memory import MemoryFile
from qat.records.side_files.parity import ParityFile
from qat.records.side_files.ptq import PtqFile
from qat.records.side_files.sensitivity import SensitivityFile
from qat.records.side_files.typed_file import AnyFile, TypedFile, read_side_file
from qat.records.side_files.verified import SideFileError
from qat.report.memory_lines import memory_lines, memory_markdown
from qat.report.mixed_lines import allocation_lines, sensitivities
from qat.report.ptq_lines import ptq_lines, ptq_markdown
from qat.report.runtime_lines import latency_lines, parity_lines
from qat.tables.cells import Table

_LINES: tuple[tuple[type[TypedFile], Callable[[Any], list[str]]], ...] = (
    (AllocationFile, allocation_lines),
    (PtqFile, ptq_lines),
    (ParityFile, parity_lines),
    (LatencyFile, latency_lines),
    (MemoryFile, memory_lines),
)


def deployment_lines(folder: Path, record: RunRecord) -> list[str]:
    """Lines about the chosen widths, the results of the runtime, and the memory.

    Args:
        folder: Folder of the run.
        record: Its record.
    """
    lines: list[str] = []
    for kind, lines_of in _LINES:
        try:
            file = read_side_file(folder, record, kind)
            lines += [] if file is None else lines_of(file)
        except SideFileError as error:
            lines.append(f"skipped: {error}")
    return lines + _unverified(folder, record)


def sensitivities_of(folder: Path, record: RunRecord) -> Table | None:
    """A run's ``sensitivity.json`` as a table of layer × bits.

    Args:
        folder: Folder of the run.
        record: Its record.

    Returns:
        The table; None if the run has no such file, or the file is damaged.
    """
    file = _undamaged(folder, record, SensitivityFile)
    return None if file is None else sensitivities(file)


def memory_of(folder: Path, record: RunRecord) -> MemoryFile | None:
    """Content of ``memory.json``.

    Args:
        folder: Folder of the run.
        record: Its record.

    Returns:
        The content; None if the run has no such file, or the file is damaged.
    """
    return _undamaged(folder, record, MemoryFile)


def _undamaged(folder: Path, record: RunRecord, kind: type[AnyFile]) -> AnyFile | None:
    try:
        return read_side_file(folder, record, kind)
    except SideFileError:
        return None  # one of the lines names the file


def deployment_markdown(folder: Path, record: RunRecord) -> str:
    """The lines as a markdown list, and as tables the steps of ``ptq`` and the memory.

    Args:
        folder: Folder of the run.
        record: Its record.
    """
    text = "".join(f"\n- {markdown_line(line)}" for line in deployment_lines(folder, record))
    if (steps := _undamaged(folder, record, PtqFile)) is not None:
        text += ptq_markdown(steps)
    memory = memory_of(folder, record)
    return text if memory is None else text + memory_markdown(memory)


def _unverified(folder: Path, record: RunRecord) -> list[str]:
    """One line about files without a digest in the record, which older versions wrote."""
    names = [
        name
        for artifact, name in USUAL_NAMES.items()
        if artifact not in record.artifacts and (folder / name).is_file()
    ]
    if not names or record.status != "done":
        return []
    return [f"unverified, the record has no digest of {', '.join(names)}"]
