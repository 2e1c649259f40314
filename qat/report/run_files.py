"""What the files beside a run's record say, for a reader. Loads no torch.

Each is verified against the record before a word of it is shown. One that cannot be read takes
nothing down: a line names it instead.
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
from qat.records.side_files.sensitivity import SensitivityFile
from qat.records.side_files.typed_file import TypedFile, read_side_file
from qat.records.side_files.verified import SideFileError
from qat.report.memory_lines import memory_lines, memory_markdown
from qat.report.mixed_lines import allocation_lines, sensitivities
from qat.report.runtime_lines import latency_lines, parity_lines
from qat.tables.cells import Table

_LINES: tuple[tuple[type[TypedFile], Callable[[Any], list[str]]], ...] = (
    (AllocationFile, allocation_lines),
    (ParityFile, parity_lines),
    (LatencyFile, latency_lines),
    (MemoryFile, memory_lines),
)


def deployment_lines(folder: Path, record: RunRecord) -> list[str]:
    """How widths were chosen, what the runtime made of the network, where its memory goes."""
    lines: list[str] = []
    for kind, lines_of in _LINES:
        try:
            file = read_side_file(folder, record, kind)
            lines += [] if file is None else lines_of(file)
        except SideFileError as error:
            lines.append(f"skipped: {error}")
    return lines + _unverified(folder, record)


def sensitivities_of(folder: Path, record: RunRecord) -> Table | None:
    """A run's ``sensitivity.json`` as layer x bits; None if there is none, or it is damaged."""
    try:
        file = read_side_file(folder, record, SensitivityFile)
    except SideFileError:
        return None
    return None if file is None else sensitivities(file)


def memory_of(folder: Path, record: RunRecord) -> MemoryFile | None:
    """What ``memory.json`` holds; None if there is none, or it is damaged."""
    try:
        return read_side_file(folder, record, MemoryFile)
    except SideFileError:
        return None  # the lines name the file


def deployment_markdown(folder: Path, record: RunRecord) -> str:
    """The lines as a list, and the memory of every strategy and every layer as tables."""
    text = "".join(f"\n- {markdown_line(line)}" for line in deployment_lines(folder, record))
    memory = memory_of(folder, record)
    return text if memory is None else text + memory_markdown(memory)


def _unverified(folder: Path, record: RunRecord) -> list[str]:
    """A line about the files whose digest an older record does not have."""
    names = [
        name
        for artifact, name in USUAL_NAMES.items()
        if artifact not in record.artifacts and (folder / name).is_file()
    ]
    if not names or record.status != "done":
        return []
    return [f"unverified, the record has no digest of {', '.join(names)}"]
