"""``qat.diagnose``: where a run lost accuracy, and which settings to try."""

from pathlib import Path

from qat.notebook.run_folder import Run, run_folder
from qat.report.diagnosed import Diagnosis, diagnosis_of


def diagnose(run: Run, runs: Path | str | None = None) -> Diagnosis:
    """Where a run lost accuracy, layer by layer, and which settings to try.

    Args:
        run: The run's record, folder, id, the first characters of its id, or its name.
        runs: Folder of runs, if the run is not in the usual one.

    Returns:
        What the command ``qat diagnose`` prints, as an object: ``print`` it, or take its
        ``findings`` and its table (``to_frame()``).

    Raises:
        KeyError: If there is no such run.
        ValueError: If the run has no ``layers.json``, or the file is not the one that it wrote.

    Example:
        >>> import qat
        >>> small = ["data=synthetic", "data.train_images=64", "float=smoke", "tracking=none"]
        >>> record = qat.run(*small, "scheme=w4a4")
        >>> qat.diagnose(record).to_frame().index.tolist()[:3]
        ['features.0.0', 'features.1.0', 'features.2.0']
    """
    return diagnosis_of(run_folder(run, runs))
