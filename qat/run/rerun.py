"""``--from RUN_DIR``: the overrides of a run that was. A run's files are data, never code."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qat.base.errors import RequestError
from qat.config.schema import PathsConfig, RunConfig
from qat.config.study_grids import key_of
from qat.records.store import read_record

OF_THE_COMMAND = ("paths", "force", "hydra")
"""Where work lies and how it is started: the present command says so, never a run's files."""


def overrides_of(folder: Path, typed: Sequence[str] = ()) -> tuple[str, ...]:
    """What was typed for the run in that folder, but for what the present command alone says.

    Args:
        folder: Of the run.
        typed: Overrides of now, which take the place of the run's.

    Raises:
        RequestError: If a setting calls a resolver, ``${oc.env:...}`` say.
    """
    typed_keys = {key_of(word) for word in typed}
    kept = [
        word
        for word in read_record(folder).overrides
        if re.split(r"[./@]", key_of(word))[0] not in OF_THE_COMMAND
        and key_of(word) not in typed_keys
    ]
    for word in kept:
        if calls_resolver(word):
            raise RequestError(
                f"--from: the run's settings hold {word}; what a run's files take from the "
                f"environment is not followed: give {key_of(word)}=VALUE again"
            )
    return tuple(kept)


def calls_resolver(text: str) -> bool:
    """True for ``${NAME:...}``, which calls code, unlike ``${KEY}``."""
    return re.search(r"\$\{[^}]*:", text) is not None


def present_paths(runs: Path) -> PathsConfig:
    """Where things lie for the present command, as ``conf/paths`` says it; runs are given."""
    environ = os.environ
    data, cache = environ.get("QAT_DATA", "data"), environ.get("QAT_CACHE", "cache")
    return PathsConfig(data=data, runs=str(runs), cache=cache)


def check_targets(config: RunConfig, words: Sequence[str], extra_dir: Path | None) -> None:
    """Refuse code that nobody but the run's own record names.

    A target names code to import. It must stand on the command line of now, or in YAML of the
    user's (``--config-dir``); what a record says is not enough.

    Args:
        config: What the repeated overrides compose to.
        words: The overrides that were typed now.
        extra_dir: The folder given with ``--config-dir``.

    Raises:
        RequestError: At the first target that stands in neither.
    """
    files = () if extra_dir is None else sorted(extra_dir.rglob("*.y*ml"))
    typed = [*words, *(file.read_text(encoding="utf-8") for file in files)]
    for key, target in targets_in(asdict(config)):
        if not any(target in text for text in typed):
            raise RequestError(
                f"--from: the run's settings name code, {key}={target}; what a run's files name is "
                "not imported: give the override with it again"
            )


def targets_in(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """``(key in full, name of code)`` wherever a key of a tree ends in ``target``."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            name = f"{place}.{key}" if place else str(key)
            if str(key).endswith("target") and value is not None:
                yield name, str(value)
            yield from targets_in(value, name)
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from targets_in(value, f"{place}[{number}]")
