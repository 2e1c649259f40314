"""One job of a request: take the run's lock, compute what is not there yet, keep the truth."""

import shutil

import torch

from qat.base.complaints import complain, debug, one_line
from qat.base.lines import wrapped
from qat.base.printing import complain_line, print_lines
from qat.config.stored import store_config
from qat.records.file_names import CHECKPOINTS
from qat.records.folder import RunFolder
from qat.records.lock import LockedError
from qat.records.schema import RecordError, RunRecord
from qat.records.stage import forget_stage
from qat.records.warned import warnings_of
from qat.report.diagnosis import drop_lines
from qat.report.next_steps import run_steps
from qat.report.pages import run_figures, write_pages
from qat.report.printed import print_comparison, print_deployment, print_record_line
from qat.report.record_page import write_missing_pages
from qat.run.inputs import print_inputs
from qat.run.loggers import log_record
from qat.run.page_tensors import page_tensors
from qat.run.pipeline import execute
from qat.run.prepared import Prepared
from qat.run.progress import stage
from qat.tracking.figures.style import save_figures

FIGURES = "figures"


class RecordedError(Exception):
    """A run failed, and its record says why; the cause is what went wrong."""


def run_job(prepared: Prepared, alone: bool = True) -> bool:
    """Run, or show what was run before; True if the run is done and missed no gate.

    Args:
        prepared: The checked request.
        alone: Print comparison and record; a sweep has its own words.

    Whatever goes wrong is kept in the record (status failed), printed in one line, and reported
    as False: the jobs behind it go on.
    """
    folder = RunFolder(prepared.folder)
    try:
        record = _finished(prepared, folder)  # without a lock: it may lie where nobody may write
        if record is None:
            with folder.create().lock():
                record = _finished(prepared, folder) or _computed(prepared, folder, alone)
    except LockedError as error:
        if alone:  # a sweep waits for whoever holds it
            complain(error, f"run {prepared.id}: ")
        return False
    except RecordedError as error:
        if (alone or debug()) and error.__cause__ is not None:
            complain(error.__cause__, f"run {prepared.id}: ")
        return False
    except Exception as error:
        complain(error, f"run {prepared.id}: ")
        return False
    if prepared.tracking.tensorboard and record.status == "done":
        write_missing_pages([folder.path])
    if alone:
        _show(record, folder)
    else:
        _show_warnings(record)
    return record.gate != "failed"


def _show(record: RunRecord, folder: RunFolder) -> None:
    """What a run of its own ends with."""
    print_comparison(record)
    print_deployment(folder.path, record)
    for line in drop_lines(folder.path, record):
        print(wrapped(line, hang=2))
    print_lines(run_steps(record, folder.path))
    print_record_line(folder.record_path)
    if record.gate == "failed":
        complain_line(f"run {record.id} missed its parity gate")


def _show_warnings(record: RunRecord) -> None:
    for line in warnings_of(record):
        complain_line(f"run {record.id} warns: {line}")


def limit_threads(threads: int | None) -> None:
    """Compute with so many threads; None leaves it as it is."""
    if threads is not None:
        torch.set_num_threads(threads)


def _finished(prepared: Prepared, folder: RunFolder) -> RunRecord | None:
    if prepared.config.force:
        return None
    try:
        return folder.read() if folder.state() == "done" else None
    except RecordError as error:
        raise RecordError(f"{error}; force=true computes the run anew") from error


def _computed(prepared: Prepared, folder: RunFolder, verbose: bool) -> RunRecord:
    if verbose:
        print_inputs(prepared)
    if prepared.config.force or folder.state() == "done":
        shutil.rmtree(folder.path / CHECKPOINTS, ignore_errors=True)
    if not (folder.path / CHECKPOINTS).exists():  # else the curves go on where they ended
        shutil.rmtree(folder.path / "tb", ignore_errors=True)
    record = RunRecord(
        id=prepared.id,
        status="running",
        mode=prepared.mode.name,
        seed=prepared.seed if prepared.mode.quantizes else prepared.config.float.seed,
        overrides=prepared.overrides,
        study=prepared.config.study.name,
    )
    forget_stage(folder.path)
    folder.write(record)
    store_config(prepared.config, folder.path)
    try:
        outcome = execute(prepared, folder, record, verbose)
        with stage("figures", folder.path, verbose):
            if prepared.tracking.figures:
                found = run_figures(outcome.record, prepared.folder)
                save_figures(found, prepared.folder / FIGURES)
            if prepared.tracking.tensorboard:
                write_pages(prepared.folder, outcome.record, page_tensors(prepared, outcome))
        folder.write(outcome.record)
        forget_stage(folder.path)
    except (Exception, SystemExit) as error:  # code that ends the process is no success either
        cause = error if isinstance(error, Exception) else _ended(error)
        folder.write(folder.read().move_to("failed", error=one_line(cause)))
        raise RecordedError(one_line(cause)) from cause
    _log(prepared, outcome.record)
    return outcome.record


def _log(prepared: Prepared, record: RunRecord) -> None:
    try:
        log_record(prepared, record)
    except Exception as error:  # a server that is away must not undo what is on disk
        logger = prepared.tracking.logger
        complain(error, f"tracking.logger={logger} did not take the record: ")


def _ended(error: SystemExit) -> RuntimeError:
    return RuntimeError(f"the code that was run ended the process (SystemExit {error.code})")
