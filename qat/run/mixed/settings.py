"""The settings that the choice of widths depends on, as plain data."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from qat.base.errors import InputError
from qat.base.reading import file_digest
from qat.config.schema import RunConfig
from qat.records.file_names import LATENCY_NAME, PLAN_NAME


def mixed_settings(config: RunConfig) -> dict[str, Any]:
    """Groups ``sensitivity``, ``allocate`` and ``mixed``; files are replaced by their digests.

    Raises:
        ValueError: If a file that the configuration names is absent.
    """
    settings = {
        name: asdict(getattr(config, name)) for name in ("sensitivity", "allocate", "mixed")
    }
    sensitivity, allocate = settings["sensitivity"], settings["allocate"]
    sensitivity["table"] = _digest("sensitivity.table", config.sensitivity.table)
    allocate["latency_table"] = _digest("allocate.latency_table", config.allocate.latency_table)
    allocate["latency_runs"] = [
        [_digest("allocate.latency_runs", str(Path(run) / name)) for name in _TIMED]
        for run in config.allocate.latency_runs
    ]
    return settings


_TIMED = (LATENCY_NAME, PLAN_NAME)


def _digest(key: str, path: str | None) -> str | None:
    if path is None:
        return None
    if not Path(path).is_file():
        raise InputError(f"{key}: {path} is not a file; give a file that exists")
    return file_digest(Path(path))
