"""What is meant wherever a RUN_DIR is asked for: a path, an id, the beginning of one, or a name."""

from pathlib import Path

from qat.config.yaml_files import default_path


def run_dir(word: str, runs: str | Path | None = None) -> Path:
    """The folder of the run that is meant.

    Args:
        word: As typed.
        runs: The folder of runs; ``QAT_RUNS``, or ``runs``, by default.

    Raises:
        UnknownNameError: If there is no such run.
        InputError: If several are meant.
    """
    from qat.records.find import find_run

    return find_run(word, default_path("runs") if runs is None else Path(runs).expanduser())
