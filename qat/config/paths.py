"""Resolve the paths of a configuration: ``~``, and runs that are named by id or name."""

import os
from collections.abc import Sequence
from typing import Any

from qat.config.keys import PATH_KEYS
from qat.config.run_dirs import run_dir
from qat.config.schema import RunConfig


def settle_paths(config: RunConfig) -> None:
    """Expand ``~`` in every path, and replace ids and names of runs by their folders, in place.

    Raises:
        UnknownNameError: If there is no such run.
        InputError: If the beginning of an id fits several runs.
    """
    for key in sorted(PATH_KEYS):
        *parents, name = key.split(".")
        owner = _at(config, parents)
        if (value := getattr(owner, name)) is not None:
            setattr(owner, name, os.path.expanduser(value))  # noqa: PTH111 - keeps ./ as typed
    allocate = config.allocate
    allocate.latency_runs = [str(run_dir(r, config.paths.runs)) for r in allocate.latency_runs]


def _at(config: RunConfig, parents: Sequence[str]) -> Any:
    owner: Any = config
    for part in parents:
        owner = getattr(owner, part)
    return owner
