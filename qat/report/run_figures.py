"""The figures that are stored in a run's folder: drawn once, for the files and for the page."""

from collections.abc import Mapping
from pathlib import Path

from qat.records.schema import RunRecord
from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.sensitivity import SensitivityFile
from qat.records.side_files.typed_file import read_side_file
from qat.records.side_files.verified import SideFileError, read_content, side_file
from qat.report.mixed_figures import allocation_figures
from qat.report.run_files import memory_of
from qat.tracking.figures.memory import ARENA, LAYERS, memory_figures
from qat.tracking.figures.style import FORMATS, Figure, save_figures


def run_figures(record: RunRecord, folder: Path) -> dict[str, Figure]:
    """The figures that are also stored in the run's folder: those of the chosen bit widths.

    Args:
        record: Record of the run.
        folder: Its folder.

    Returns:
        Name → figure; empty if the run chose no widths, or if a file cannot be read.
    """
    try:
        allocation = read_side_file(folder, record, AllocationFile)
        sensitivity = read_side_file(folder, record, SensitivityFile)
    except SideFileError:  # the page names the file that was skipped
        return {}
    if allocation is None or sensitivity is None:
        return {}
    return allocation_figures(allocation, sensitivity, record.metrics["top1"])


def saved_figures(record: RunRecord, folder: Path, into: Path) -> dict[str, bytes]:
    """Save the figures of the chosen bit widths.

    Args:
        record: Record of the run.
        folder: Its folder.
        into: Folder of the figures.

    Returns:
        Name → content of the PNG file.
    """
    figures = run_figures(record, folder)
    save_figures(figures, into)
    return {name: read_content(into / f"{name}{FORMATS[0]}") for name in figures}


def memory_pictures(record: RunRecord, folder: Path) -> Mapping[str, Figure | bytes]:
    """The figures of a run's memory: the content of its files, or drawn if it has none.

    Args:
        record: Record of the run.
        folder: Its folder.

    Returns:
        Name → figure, or content of its PNG file; empty if the run has no memory plan.
    """
    try:
        names = [name for name in (LAYERS, ARENA) if name in record.artifacts]
        files = {name: side_file(folder, record, name, f"{name}.png") for name in names}
    except SideFileError:  # altered or deleted
        files = {}
    if files:
        return {name: file.content for name, file in files.items() if file is not None}
    memory = memory_of(folder, record)
    return {} if memory is None else memory_figures(memory)
