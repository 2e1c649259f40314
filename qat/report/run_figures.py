"""The figures that are stored in a run's folder."""

from pathlib import Path

from qat.records.schema import RunRecord
from qat.records.side_files.allocation import AllocationFile
from qat.records.side_files.sensitivity import SensitivityFile
from qat.records.side_files.typed_file import read_side_file
from qat.records.side_files.verified import SideFileError
from qat.report.mixed_figures import allocation_figures
from qat.tracking.figures.style import Figure


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
