"""``--from RUN_DIR``: the overrides of an earlier run. A run's files are data, never code."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qat.base.errors import RequestError
from qat.config.schema import PathsConfig, RunConfig
from qat.config.study_grids import key_of
from qat.records.file_names import CONFIG_NAME
from qat.records.store import read_record

FORMAT = "trainer.memory_format"
OF_THE_COMMAND = ("paths", "force", "hydra")
"""Keys that only the present command sets, never the files of a run."""


def overrides_of(folder: Path, typed: Sequence[str] = ()) -> tuple[str, ...]:
    """The overrides of an earlier run, except those that only the present command sets.

    Args:
        folder: The earlier run's folder.
        typed: Overrides of the present command; they replace those of the run.

    Raises:
        RequestError: If an override calls a resolver, such as ``${oc.env:...}``.
        RecordError: If the folder has no readable record.
    """
    typed_keys = {key_of(word) for word in typed}
    repeated = [
        word
        for word in read_record(folder).overrides
        if re.split(r"[./@]", key_of(word))[0] not in OF_THE_COMMAND
        and key_of(word) not in typed_keys
    ]
    for word in repeated:
        if calls_resolver(word):
            raise RequestError(
                f"--from: the run has the override {word}; a resolver in a run's files is not "
                f"called: give {key_of(word)}=VALUE again"
            )
    config = folder / CONFIG_NAME
    if FORMAT not in typed_keys and config.is_file() and "memory_format" not in config.read_text():
        repeated.append(f"{FORMAT}=contiguous")  # the run was made before there was a choice
    return tuple(repeated)


def calls_resolver(text: str) -> bool:
    """Whether a text has ``${NAME:...}``, which calls code; ``${KEY}`` does not.

    Example:
        >>> calls_resolver("${oc.env:HOME}"), calls_resolver("${seed}")
        (True, False)
    """
    return re.search(r"\$\{[^}]*:", text) is not None


def present_paths(runs: Path) -> PathsConfig:
    """The folders of the present command, as ``conf/paths`` sets them.

    Args:
        runs: The folder of runs.
    """
    environ = os.environ
    data, cache = environ.get("QAT_DATA", "data"), environ.get("QAT_CACHE", "cache")
    return PathsConfig(data=data, runs=str(runs), cache=cache)


def check_targets(config: RunConfig, words: Sequence[str], extra_dir: Path | None) -> None:
    """Refuse code that only the record of the earlier run names.

    A target names code to import. It must be in the present command, or in a YAML file of the
    user (``--config-dir``).

    Args:
        config: The configuration composed of the repeated overrides.
        words: The overrides of the present command.
        extra_dir: The folder of ``--config-dir``; None without that option.

    Raises:
        RequestError: At the first target that is in neither.
    """
    files = () if extra_dir is None else sorted(extra_dir.rglob("*.y*ml"))
    typed = [*words, *(file.read_text(encoding="utf-8") for file in files)]
    for key, target in targets_in(asdict(config)):
        if not any(target in text for text in typed):
            raise RequestError(
                f"--from: the run's settings name code, {key}={target}; code that only a run's "
                "files name is not imported: give that override again"
            )


def targets_in(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Find every key of a tree that ends in ``target`` and has a value.

    Args:
        node: A tree of dicts and lists.
        place: Key of the node in the whole tree.

    Yields:
        The key with its parents, and its value: the name of code.

    Example:
        >>> list(targets_in({"data": {"target": "mine:stripes"}, "model": {"target": None}}))
        [('data.target', 'mine:stripes')]
    """
    if isinstance(node, Mapping):
        for key, value in node.items():
            name = f"{place}.{key}" if place else str(key)
            if str(key).endswith("target") and value is not None:
                yield name, str(value)
            yield from targets_in(value, name)
    elif isinstance(node, list | tuple):
        for number, value in enumerate(node):
            yield from targets_in(value, f"{place}[{number}]")
