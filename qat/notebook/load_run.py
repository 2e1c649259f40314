"""``qat.load_run``: a finished run as objects, from its record, folder, id or name."""

from pathlib import Path
from typing import TYPE_CHECKING

from qat.notebook.run_folder import Run, run_folder

if TYPE_CHECKING:
    from qat.run.load import LoadedRun


def load_run(
    run: Run,
    model_target: str | None = None,
    data_target: str | None = None,
    runs: Path | str | None = None,
) -> "LoadedRun":
    """Load a finished run: its record, configuration, data and quantized network.

    The folder's files are data: no code is imported because they name it. A run of a user's own
    network or data set needs the name of that code again.

    Args:
        run: The run's record, folder, id, the first characters of its id, or its name.
        model_target: ``package.module:factory`` of a run with ``model=user``; else None.
        data_target: ``package.module:function`` of a run with ``data=user``; else None.
        runs: Folder of runs, if the run is not in the usual one.

    Raises:
        ValueError: If the run is not done, its files are damaged, or a target is missing.
        KeyError: If there is no such run.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "scheme=w4a4")
        >>> loaded = qat.load_run(record)
        >>> len(loaded.prepared.data.test), loaded.record == record
        (256, True)
    """
    from qat.run import load  # imports torch

    return load.load_run(run_folder(run, runs), model_target, data_target)
