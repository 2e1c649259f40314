"""``qat.run``: one run, as the command ``qat run``."""

from pathlib import Path

from qat.notebook.errors import RunFailedError
from qat.notebook.run_folder import Run
from qat.notebook.session import session
from qat.notebook.words import request_words
from qat.records.schema import RunRecord
from qat.report.record_page import write_missing_pages
from qat.sweep.shown import show_run, show_warnings
from qat.sweep.single import SingleRun, single_run


def run(
    *overrides: str,
    config_dir: Path | str | None = None,
    repeat: Run | None = None,
    verbose: bool = False,
) -> RunRecord:
    """Compute one run, or return its record if it is finished.

    It is the command ``qat run``: the same checks, id, cache, lock and files, and the same record
    except for times. Nothing is printed unless ``verbose``.

    Args:
        overrides: Settings, such as ``"scheme=w4a4"`` and ``"mode=qat"``, as after ``qat run``.
        config_dir: Folder of your own YAML files (``--config-dir``).
        repeat: An earlier run whose overrides come first (``--from``): its record, folder, id or
            name.
        verbose: Print what the command prints.

    Returns:
        The record of the finished run, with ``metrics``, ``plan`` and ``artifacts``.

    Raises:
        RequestError: If the request is wrong. Then nothing was started.
        LockedError: If another process computes this run.
        RunFailedError: If the run failed; its cause is the error, with its traceback.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "scheme=w4a4")
        >>> record.status, 0 <= record.metrics["top1"] <= 1
        ('done', True)
    """
    with session(verbose):
        request = single_run(request_words(overrides, config_dir, repeat))
        is_new = request.prepared is not None
        record = _computed(request, verbose) if is_new else request.folder.read()
        if request.has_page:
            write_missing_pages([request.folder.path])
        if verbose:
            show_run(record, request.folder)
        elif is_new:
            show_warnings(record)
    return record


def _computed(request: SingleRun, verbose: bool) -> RunRecord:
    from qat.sweep.job import RecordedError, job_record  # imports torch

    assert request.prepared is not None
    try:
        return job_record(request.prepared, verbose)
    except RecordedError as error:
        name = request.prepared.id
        raise RunFailedError(f"run {name} failed: {error}") from error.__cause__
