"""Hydra's own keys: those that take effect here, and what to write instead of the others."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from qat.base.errors import RequestError
from qat.config.yaml_files import config_dir_flag, files

HONOURED = ("hydra/launcher", "hydra/sweeper", "hydra.launcher.", "hydra.sweeper.")
"""Beginnings of the keys that take effect in a sweep."""
# Key → the value that is allowed, because it changes nothing.
_AS_IT_IS = {
    "hydra.job.chdir": "false",
    "hydra.output_subdir": "null",
    "hydra.job.name": "qat",
    "hydra/job_logging": "none",
    "hydra/hydra_logging": "none",
    "hydra.verbose": "false",
}
# Beginning of a key → cure.
_CURES = {
    "hydra.job.chdir": "every run starts in the folder where qat was started, so that relative "
    "paths stay valid; its files are in runs/<id>: leave it out",
    "hydra.run.dir": "a run's folder is named by its content; set paths.runs=DIR",
    "hydra.sweep": "a run's folder is named by its content; set paths.runs=DIR",
    "hydra.runtime": "a run's folder is named by its content; set paths.runs=DIR",
    "hydra.output_subdir": "the configuration of a run is config.yaml in its folder: leave it out",
    "hydra.mode": "one run is `qat run`, a sweep `qat run -m`: leave it out",
    "hydra.verbose": "QAT_DEBUG=1 shows tracebacks: leave it out",
    "hydra.searchpath": "give the folder of your YAML as --config-dir DIR: leave it out",
    "hydra.job.env": "set variables of the environment before qat run: leave it out",
}
_OTHERWISE = "qat reads only hydra/launcher, hydra/sweeper and their keys: leave it out"


def is_hydra(key: str) -> bool:
    """Whether a key is Hydra's own."""
    return key.startswith(("hydra.", "hydra/"))


def check_hydra_key(key: str, value: str, multirun: bool, where: str = "") -> None:
    """Refuse a key of Hydra's that has no effect here, or another effect than in Hydra.

    Args:
        key: The key in full.
        value: Its value as text.
        multirun: Whether the request is a sweep.
        where: Text before the message, such as ``experiment=mine: ``.

    Raises:
        RequestError: If the key has no such effect; the message has the cure.
    """
    if key.startswith(HONOURED):
        if not multirun:
            raise RequestError(f"{where}{key} is for sweeps: qat run -m, or leave it out")
        return
    if value.strip().lower() == _AS_IT_IS.get(key):
        return
    cure = next((cure for start, cure in _CURES.items() if key.startswith(start)), _OTHERWISE)
    raise RequestError(f"{where}{key}={value} is not honoured: {cure}")


def check_experiments(names: list[str], multirun: bool, extra_dir: Path | None) -> None:
    """Check Hydra's keys in the experiment files of a request.

    Args:
        names: Names of the experiments; several if the request sweeps over them.
        multirun: Whether the request is a sweep.
        extra_dir: Folder of the user's YAML; None if there is none.

    Raises:
        RequestError: At a key that would have no effect, or would shrink the sweep.
    """
    paths = files("experiment", extra_dir)
    for name in names:
        if name not in paths:
            continue
        chosen = f"experiment={name}{config_dir_flag(extra_dir)}"
        for key, value in _hydra_leaves(paths[name]):
            _check_in_file(chosen, key, value, multirun, len(names) > 1)


def _check_in_file(chosen: str, key: str, value: Any, multirun: bool, several: bool) -> None:
    where = f"{chosen.split()[0]}: "
    if key == "hydra.mode" and str(value).rpartition(".")[2].upper() == "MULTIRUN":
        if not multirun:
            raise RequestError(f"{where}hydra.mode={value} asks for a sweep: qat run -m {chosen}")
        return
    if key.startswith("hydra.sweeper.params") and not multirun:
        raise RequestError(f"{where}{key} asks for a sweep: qat run -m {chosen}")
    if key.startswith(HONOURED) and several:
        raise RequestError(
            f"{where}{key} is read where one experiment is named: qat run -m {chosen}"
        )
    check_hydra_key(key, "null" if value is None else str(value), multirun, where)


def _hydra_leaves(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return  # composing raises the error
    if not isinstance(content, Mapping):
        return
    yield from _leaves("hydra", content.get("hydra"))
    for entry in content.get("defaults") or ():
        for key, value in entry.items() if isinstance(entry, Mapping) else ():
            name = str(key).removeprefix("override").strip().lstrip("/")
            if is_hydra(name):
                yield name, value


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{prefix}.{key}", inner)
    elif value is not None:
        yield prefix, value
