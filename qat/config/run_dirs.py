"""Find the folder of a run from a path, an id, the beginning of an id, or a name."""

from pathlib import Path

from qat.config.yaml_files import default_path


def run_dir(word: str, runs: str | Path | None = None) -> Path:
    """The folder of a run.

    Args:
        word: A path, an id, the beginning of an id, or a name, as typed for RUN_DIR.
        runs: The folder of runs; None takes ``QAT_RUNS``, or ``runs`` if that is not set.

    Raises:
        UnknownNameError: If there is no such run.
        InputError: If the word fits several runs.
    """
    from qat.records.find import find_run

    return find_run(word, default_path("runs") if runs is None else Path(runs).expanduser())
