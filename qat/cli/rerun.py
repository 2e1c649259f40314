"""``--from RUN_DIR``: the overrides of a run that was. A run's files are data, never code."""

from pathlib import Path

from qat.cli.errors import RequestError
from qat.records.store import read_record

_TARGETS = ("model.target", "scheme.weight.target", "scheme.act.target", "observer_target")


def overrides_of(folder: Path) -> tuple[str, ...]:
    """What was typed for the run in that folder, without anything that names code.

    A target names code to import; it is to be given again on the command line.

    Raises:
        RequestError: If there is no record.
    """
    if not folder.exists():
        raise RequestError(f"--from {folder}: there is no such folder")
    overrides = read_record(folder).overrides
    return tuple(o for o in overrides if not any(name in o.split("=")[0] for name in _TARGETS))
