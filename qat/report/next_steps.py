"""The line ``next: ...`` near the end of a run or a sweep; each of its commands can be typed."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from qat.config.study_file import study_names
from qat.config.yaml_files import default_path
from qat.records.schema import RunRecord

EXPORTED = "network"
"""Name of the artifact that a runtime executes."""


def run_steps(record: RunRecord, folder: Path) -> str:
    """``next: qat show ID · qat table · qat measure ID``, for a finished run.

    Args:
        record: Record of the run.
        folder: Its folder.
    """
    name = reference(folder)
    commands = [f"qat show {name}", _table(folder.parent)]
    if not _needs_code(record):
        if record.gate == "failed":
            commands.insert(1, f"qat parity {name}")
        elif EXPORTED in record.artifacts:
            commands.append(f"qat measure {name}")
        elif record.mode == "static":
            commands.append(f"qat run --from {name} mode=qat")
        elif record.mode == "float":
            commands.append(f"qat run --from {name} mode=static")
    return _line(commands)


def sweep_steps(folders: Mapping[Path, str], study: str | None) -> str:
    """The same line for a sweep.

    Args:
        folders: Run folder → how the run ended.
        study: Name of the study; None if the runs belong to none or to several.
    """
    done = [reference(folder) for folder, state in folders.items() if state == "done"]
    others = [f for f, state in folders.items() if state not in ("done", "not started", "damaged")]
    table = f"qat table {shlex.quote(study)}" if study in study_names() else None
    commands = [table or _table(next(iter(folders)).parent)]
    if others:
        commands.append(f"qat show {reference(others[0])}")
    if len(done) > 1:
        commands.append(f"qat compare {done[0]} {done[-1]}")
    elif done and not others:
        commands.append(f"qat show {done[0]}")
    return _line(commands)


def reference(folder: Path) -> str:
    """The word for a run on the command line: its id, or its folder if it is not in ``runs``."""
    usual = folder.parent.absolute() == default_path("runs").absolute()
    return folder.name if usual else shlex.quote(str(folder))


def _table(runs: Path) -> str:
    usual = runs.absolute() == default_path("runs").absolute()
    return "qat table" if usual else f"qat table {shlex.quote(str(runs))}"


def _needs_code(record: RunRecord) -> bool:
    """True if commands on this run need the targets of the user's code again."""
    return any("target=" in word or "target:" in word for word in record.overrides)


def _line(commands: Sequence[str]) -> str:
    return f"next: {' · '.join(commands)}"
