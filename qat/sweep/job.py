"""One job of a request: take the lock of the run, compute it if needed, and record the result."""

import shutil
import time

import torch

from qat.base.complaints import complain, debug, one_line
from qat.base.output import output_is_gone
from qat.config.stored import store_config
from qat.records.environment import CONFIG_DIR
from qat.records.file_names import CHECKPOINTS
from qat.records.folder import RunFolder
from qat.records.lock import LockedError
from qat.records.schema import RecordError, RunRecord
from qat.records.stage import forget_stage
from qat.report.record_page import write_missing_pages
from qat.run.finish import Outcome
from qat.run.inputs import print_inputs
from qat.run.loggers import log_record
from qat.run.page_tensors import page_tensors
from qat.run.pipeline import execute
from qat.run.prepared import Prepared
from qat.run.progress import stage
from qat.sweep.shown import show_run, show_warnings

FIGURES = "figures"
"""Name of the stage, and of the folder of figures."""


class RecordedError(Exception):
    """A run failed, and its record has the reason. ``__cause__`` is the original error."""


def run_job(prepared: Prepared, alone: bool = True) -> bool:
    """Compute a run, or show it if it is finished.

    An error of the run goes into its record (status failed) and into one line of output. It is not
    raised, so that the other jobs of a sweep continue.

    Args:
        prepared: The checked request.
        alone: Print the comparison and the record. False for a sweep, which prints its own lines.

    Returns:
        True if the run is done and did not miss its parity gate.
    """
    folder = RunFolder(prepared.folder)
    try:
        record = job_record(prepared, alone)
    except LockedError as error:
        if alone:  # a sweep waits for the process that has the lock
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
        show_run(record, folder)
    else:
        show_warnings(record)
    return record.gate != "failed"


def job_record(prepared: Prepared, verbose: bool) -> RunRecord:
    """Compute a run unless it is finished, and return its record.

    Args:
        prepared: The checked request.
        verbose: Print the data, and a line for each stage.

    Raises:
        LockedError: If another process computes the run.
        RecordedError: If the run failed; its record has the reason.
        RecordError: If the record of an earlier run is damaged.
    """
    folder = RunFolder(prepared.folder)
    record = _finished(prepared, folder)  # without a lock: the folder may be read-only
    if record is None:
        with folder.create().lock():
            record = _finished(prepared, folder) or _computed(prepared, folder, verbose)
    return record


def limit_threads(threads: int | None) -> None:
    """Set the number of threads that torch computes with; None leaves it unchanged."""
    if threads is not None:
        torch.set_num_threads(threads)


def _finished(prepared: Prepared, folder: RunFolder) -> RunRecord | None:
    if prepared.config.force:
        return None
    try:
        return folder.read() if folder.state() == "done" else None
    except RecordError as error:
        raise RecordError(f"{error}; force=true computes the run again") from error


def _computed(prepared: Prepared, folder: RunFolder, verbose: bool) -> RunRecord:
    if verbose:
        print_inputs(prepared)
    if prepared.config.force or folder.state() == "done":
        shutil.rmtree(folder.path / CHECKPOINTS, ignore_errors=True)
    if not (folder.path / CHECKPOINTS).exists():  # with checkpoints, the curves continue
        shutil.rmtree(folder.path / "tb", ignore_errors=True)
    record = RunRecord(
        id=prepared.id,
        status="running",
        mode=prepared.mode.name,
        seed=prepared.seed if prepared.mode.quantizes else prepared.config.float.seed,
        overrides=prepared.overrides,
        study=prepared.config.study.name,
        environment=_command(prepared),
    )
    forget_stage(folder.path)
    folder.write(record)
    store_config(prepared.config, folder.path)
    try:
        outcome = execute(prepared, folder, record, verbose)
        done = _drawn(prepared, outcome, verbose)
        folder.write(done)
        forget_stage(folder.path)
    except (Exception, SystemExit) as error:  # code that ends the process is a failure too
        if isinstance(error, OSError) and output_is_gone():
            raise KeyboardInterrupt from error  # a closed terminal is no failure of the run
        cause = error if isinstance(error, Exception) else _ended(error)
        folder.write(folder.read().move_to("failed", error=one_line(cause)))
        raise RecordedError(one_line(cause)) from cause
    _log(prepared, done)
    return done


def _command(prepared: Prepared) -> dict[str, str]:
    """What a command on the run needs again; the first stage adds the machine."""
    folder = prepared.config_dir
    return {} if folder is None else {CONFIG_DIR: str(folder.resolve())}


def _drawn(prepared: Prepared, outcome: Outcome, verbose: bool) -> RunRecord:
    """The record with the seconds of the figures and of the TensorBoard page, if it has them."""
    record, tracking = outcome.record, prepared.tracking
    if not (tracking.figures or tracking.tensorboard):
        return record
    start = time.perf_counter()
    with stage(FIGURES, prepared.folder, verbose):
        _draw(prepared, outcome)
    seconds = {**record.seconds, FIGURES: time.perf_counter() - start}
    return record.move_to("done", seconds=seconds)


def _draw(prepared: Prepared, outcome: Outcome) -> None:
    record, folder, pictures = outcome.record, prepared.folder, None
    if prepared.tracking.figures:
        from qat.report.run_figures import saved_figures  # imports matplotlib

        pictures = saved_figures(record, folder, folder / FIGURES)
    if prepared.tracking.tensorboard:
        from qat.report.pages import write_pages  # imports tensorboard

        write_pages(folder, record, page_tensors(prepared, outcome), pictures)


def _log(prepared: Prepared, record: RunRecord) -> None:
    try:
        log_record(prepared, record)
    except Exception as error:  # the record on disk must survive a missing server
        logger = prepared.tracking.logger
        complain(error, f"tracking.logger={logger} did not take the record: ")


def _ended(error: SystemExit) -> RuntimeError:
    return RuntimeError(f"the code that was run ended the process (SystemExit {error.code})")
