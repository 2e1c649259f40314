"""The folder of a run, from its record or from a word that names it."""

from pathlib import Path

from qat.config.run_dirs import run_dir
from qat.records.schema import RunRecord

Run = RunRecord | Path | str
"""A run: its record, its folder, its id, the first characters of its id, or its name."""


def run_folder(run: Run, runs: Path | str | None = None) -> Path:
    """Find the folder of a run.

    Args:
        run: The run.
        runs: The folder of runs; None takes ``paths.runs`` from the overrides of a record, else
            ``QAT_RUNS``, or ``runs`` if that is not set.

    Raises:
        UnknownNameError: If there is no such run.
        InputError: If the word fits several runs.
    """
    if not isinstance(run, RunRecord):
        return run_dir(str(run), runs)
    typed = [word for word in run.overrides if word.startswith("paths.runs=")]
    if runs is None and typed:
        runs = typed[-1].partition("=")[2].strip("'\"")
    return run_dir(run.id, runs)
