"""``qat show`` describes one run on one screen."""

import time
from pathlib import Path

from qat.base.complaints import hint_for
from qat.base.durations import duration
from qat.base.errors import RequestError
from qat.base.exit_codes import DONE
from qat.base.plurals import counted
from qat.base.printing import print_line, print_wrapped
from qat.records.folder import RunFolder
from qat.records.lock import holder
from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.records.stage import noted_stage
from qat.records.store import seen_record
from qat.report.diagnosis import drop_lines
from qat.report.printed import print_comparison, print_deployment, print_record_line, print_table
from qat.report.run_files import sensitivities_of


def show_command(folder: Path) -> int:
    """Print the request, state, metrics, times and files of a run.

    Raises:
        RequestError: If the folder has no record.
    """
    if RunFolder(folder).state() == "absent":
        raise RequestError(f"{folder} holds no run.json")
    record = seen_record(folder)
    name = run_facts(record).run_name
    print_wrapped(f"run {record.id}: {name}, {_state(folder, record)}", hang=4)
    print_wrapped(f"overrides: {' '.join(record.overrides) or '(none)'}", hang=11)
    if record.study:
        print_line(f"study: {record.study}")
    if origin := _origin(record):
        print_wrapped(f"machine: {origin}", hang=9)
    if record.metrics:
        print_comparison(record, every_float=True)
        print_deployment(folder, record)
        for line in drop_lines(folder, record):
            print_wrapped(line, hang=2)
        if (table := sensitivities_of(folder, record)) is not None:
            print_table(table)
    _print_stages(record)
    for name, file in record.artifacts.items():
        print_line(f"  {name:<24} {file.bytes:>10} bytes  {file.path}")
    print_record_line(RunFolder(folder).record_path)
    return DONE


def _state(folder: Path, record: RunRecord) -> str:
    text = record.status
    if record.gate:
        text += f", gate {record.gate}"
    if record.error:
        return f"{text}: {record.error}{hint_for(record.error)}"
    if record.status == "running":
        facts = holder(folder)
        return f"{text}{_stage(folder)} in process {facts.get('pid')} on {facts.get('host')}"
    if record.status == "interrupted":
        current = noted_stage(folder)
        where = f" in stage {current.name}" if current else ""
        return f"{text}{where}: repeat the same `qat run` to continue it"
    return text


def _stage(folder: Path) -> str:
    """`` stage training since 21:04:12 (3 min)``."""
    current = noted_stage(folder)
    if current is None:
        return ""
    clock = time.strftime("%H:%M:%S", time.localtime(current.since))
    return f" stage {current.name} since {clock} ({duration(time.time() - current.since)})"


def _origin(record: RunRecord) -> str:
    environment = record.environment
    if "cpu" not in environment:
        return ""
    commit = f"commit {str(environment.get('commit'))[:12]}" + (
        " with changes" * bool(environment.get("dirty"))
    )
    threads = counted(environment.get("threads") or 0, "thread")
    return f"{environment.get('cpu')}, {threads}, {commit}"


def _print_stages(record: RunRecord) -> None:
    total = sum(record.seconds.values())
    for stage, seconds in record.seconds.items():
        bar = "▇" * round(30 * seconds / total) if total else ""
        print_line(f"  {stage:<24} {seconds:8.1f} s  {bar}")
