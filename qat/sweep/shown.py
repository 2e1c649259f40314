"""The last lines of a run: its comparison, its warnings, what to type next. Loads no torch."""

from qat.base.exit_codes import DONE, FAILED
from qat.base.printing import complain_line, print_lines, print_wrapped
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.warned import warnings_of
from qat.report.diagnosis import drop_lines
from qat.report.next_steps import run_steps
from qat.report.printed import print_comparison, print_deployment, print_record_line
from qat.report.record_page import write_missing_pages


def show_finished(folder: RunFolder, has_page: bool) -> int:
    """Show a run that is done; compute nothing.

    Args:
        folder: Of the run.
        has_page: Write its TensorBoard page if it has none.

    Returns:
        0, or 1 if the run missed its parity gate.
    """
    if has_page:
        write_missing_pages([folder.path])
    record = folder.read()
    show_run(record, folder)
    return FAILED if record.gate == "failed" else DONE


def show_run(record: RunRecord, folder: RunFolder) -> None:
    """Print the last lines of a single run.

    Args:
        record: Of a run that is done.
        folder: Of the run.
    """
    print_comparison(record)
    print_deployment(folder.path, record)
    for line in drop_lines(folder.path, record):
        print_wrapped(line, hang=2)
    print_lines(run_steps(record, folder.path))
    print_record_line(folder.record_path)
    if record.gate == "failed":
        complain_line(f"run {record.id} missed its parity gate")


def show_warnings(record: RunRecord) -> None:
    """Print the warnings of one run of a sweep."""
    for line in warnings_of(record):
        complain_line(f"run {record.id} warns: {line}")
