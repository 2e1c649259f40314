"""``--from RUN_DIR``: the overrides of a run that was. A run's files are data, never code."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qat.cli.errors import RequestError
from qat.cli.schema import RunConfig
from qat.records.store import read_record


def overrides_of(folder: Path) -> tuple[str, ...]:
    """What was typed for the run in that folder.

    Raises:
        RequestError: If there is no record.
    """
    return read_record(folder).overrides


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
