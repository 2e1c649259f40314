"""``qat show``: one run on one screen."""

from pathlib import Path

from qat.cli.errors import DONE, RequestError
from qat.cli.report import print_comparison, print_record_line
from qat.records.folder import RunFolder
from qat.records.store import seen_record


def show_command(folder: Path) -> int:
    """Print state, settings, comparison and stages.

    Raises:
        RequestError: If there is no record.
    """
    if RunFolder(folder).state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    record = seen_record(folder)
    print(f"run {record.id}: {record.status}" + (f" ({record.error})" if record.error else ""))
    print(f"asked for: {' '.join(record.overrides) or '(defaults)'}")
    if record.metrics:
        print_comparison(record)
    for stage, seconds in record.seconds.items():
        print(f"  {stage:<24} {seconds:8.1f} s")
    print_record_line(RunFolder(folder).record_path)
    return DONE
