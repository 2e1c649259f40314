"""The line ``next: ...`` near the end of a run or a sweep; each of its commands can be typed."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from qat.base.errors import InputError
from qat.config.stored import stored_config
from qat.config.study_file import EXPERIMENTS
from qat.config.yaml_files import config_dir_flag, default_path, files
from qat.records.environment import CONFIG_DIR
from qat.records.schema import RunRecord

EXPORTED = "network"
"""Name of the artifact that a runtime executes."""


def run_steps(record: RunRecord, folder: Path) -> str:
    """``next: qat show ID · qat table · qat measure ID``, for a finished run.

    Args:
        record: Record of the run.
        folder: Its folder.
    """
    name, flag = reference(folder), config_dir_of(record)
    commands = [f"qat show {name}", _table(folder.parent)]
    if not _needs_code(record):
        computes = not _has_own_data_or_network(record, folder)
        if record.gate == "failed":
            commands[1:1] = [f"qat parity {name}"] if computes else []
        elif EXPORTED in record.artifacts:
            commands += [f"qat measure {name}"] if computes else []
        elif record.mode == "static":
            commands.append(f"qat run --from {name}{flag} mode=qat")
        elif record.mode == "float":
            commands.append(f"qat run --from {name}{flag} mode=static")
    return _line(commands)


def sweep_steps(
    folders: Mapping[Path, str], study: str | None, extra_dir: Path | None = None
) -> str:
    """The same line for a sweep.

    Args:
        folders: Run folder → how the run ended.
        study: Name of the study; None if the runs belong to none or to several.
        extra_dir: Folder of the user's YAML; None if there is none.
    """
    done = [reference(folder) for folder, state in folders.items() if state == "done"]
    others = [f for f, state in folders.items() if state not in ("done", "not started", "damaged")]
    commands = [_table(next(iter(folders)).parent, study, extra_dir)]
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


def config_dir_of(record: RunRecord) -> str:
    """`` --config-dir DIR`` for a command that repeats a run; empty if the run had none."""
    folder = record.environment.get(CONFIG_DIR)
    return config_dir_flag(None if folder is None else Path(str(folder)))


def _table(runs: Path, study: str | None = None, extra_dir: Path | None = None) -> str:
    """The command for a study's table or, of runs in another folder, for that folder's."""
    if runs.absolute() != default_path("runs").absolute():
        return f"qat table {shlex.quote(str(runs))}"
    file = files(EXPERIMENTS, extra_dir).get(study or "")
    if study is None or file is None:
        return "qat table"
    is_own = file != files(EXPERIMENTS).get(study)
    return f"qat table {shlex.quote(study)}" + (config_dir_flag(extra_dir) if is_own else "")


def _needs_code(record: RunRecord) -> bool:
    """True if commands on this run need the targets of the user's code again."""
    return any("target=" in word or "target:" in word for word in record.overrides)


def _has_own_data_or_network(record: RunRecord, folder: Path) -> bool:
    """True if a file of the user's names such code, which `qat measure` needs on its own line."""
    if CONFIG_DIR not in record.environment:
        return False
    try:
        config, _ = stored_config(folder, record)
    except InputError:  # the commands say so
        return False
    return config.model.source == "user" or config.data.name == "user"


def _line(commands: Sequence[str]) -> str:
    return f"next: {' · '.join(commands)}"
