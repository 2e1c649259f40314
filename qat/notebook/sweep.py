"""``qat.sweep``: many runs, as the command ``qat run -m``."""

from pathlib import Path

from qat.base.plurals import counted
from qat.notebook.errors import RunFailedError
from qat.notebook.session import session
from qat.notebook.words import request_words
from qat.records.folder import RunFolder
from qat.records.schema import RunRecord
from qat.records.store import seen_record
from qat.sweep.requested import run_requested


def sweep(
    *overrides: str, config_dir: Path | str | None = None, verbose: bool = False
) -> list[RunRecord]:
    """Compute every combination of the values, or the points of a study; skip finished runs.

    It is the command ``qat run -m``: the same checks, ids, cache, locks, launchers and files, and
    the same records except for times. Nothing is printed unless ``verbose``. A run that fails does
    not stop the others.

    Args:
        overrides: Settings, with values separated by commas (``"seed=0,1,2"``), or a study
            (``"experiment=bitwidth"``).
        config_dir: Folder of your own YAML files (``--config-dir``).
        verbose: Print what the command prints.

    Returns:
        The records of the different runs, in the order of the points. A run that failed has the
        status ``failed`` and an ``error``, and causes a warning.

    Raises:
        RequestError: If a point or the launcher is wrong. Then nothing was started.
        RunFailedError: If a run has no record: its worker died before it began.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> records = qat.sweep(*small, "scheme=w4a4,w8a8")
        >>> [record.plan["layers"]["features.1.0"]["weight"]["bits"] for record in records]
        [4, 8]
    """
    with session(verbose):
        end = run_requested(request_words(overrides, config_dir, multirun=True))
    absent = [folder.name for folder in end.folders if RunFolder(folder).state() == "absent"]
    if absent:
        verb = "was" if len(absent) == 1 else "were"
        raise RunFailedError(
            f"{len(absent)} of {counted(len(end.folders), 'run')} {verb} not started "
            f"({', '.join(absent)}): start the sweep again"
        )
    return [seen_record(folder) for folder in end.folders]
