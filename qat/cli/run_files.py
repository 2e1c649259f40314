"""What the files beside a run's record say, for a reader. Loads no torch.

Each is verified against the record before a word of it is shown. One that cannot be read takes
nothing down: a line names it instead.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from qat.base.text import markdown_line
from qat.cli.memory_lines import MEMORY_NAME, memory_lines, memory_markdown
from qat.cli.mixed_lines import (
    ALLOCATION_NAME,
    SENSITIVITY_NAME,
    allocation_lines,
    sensitivities,
)
from qat.cli.runtime_lines import LATENCY_NAME, PARITY_NAME, latency_lines, parity_lines
from qat.records.schema import RunRecord
from qat.records.side_files import SideFileError, shaped, side_file
from qat.tables.data import Table

Told = TypeVar("Told")
CONFIG_NAME = "config.yaml"
USUAL_NAMES = {
    "config": CONFIG_NAME,
    "allocation": ALLOCATION_NAME,
    "sensitivity": SENSITIVITY_NAME,
    "parity": PARITY_NAME,
    "latency": LATENCY_NAME,
    "memory": MEMORY_NAME,
}
"""Artifact → its file in the run's folder."""
_LINES: tuple[tuple[str, Callable[[Any], list[str]]], ...] = (
    ("allocation", allocation_lines),
    ("parity", parity_lines),
    ("latency", latency_lines),
    ("memory", memory_lines),
)


def deployment_lines(folder: Path, record: RunRecord) -> list[str]:
    """How widths were chosen, what the runtime made of the network, where its memory goes."""
    lines: list[str] = []
    for artifact, tell in _LINES:
        try:
            lines += told_by(folder, record, artifact, tell) or []
        except SideFileError as error:
            lines.append(f"skipped: {error}")
    return lines + _unverified(folder, record)


def sensitivities_of(folder: Path, record: RunRecord) -> Table | None:
    """A run's ``sensitivity.json`` as layer x bits; None if there is none, or it is damaged."""
    try:
        return told_by(folder, record, "sensitivity", sensitivities)
    except SideFileError:
        return None


def memory_told(folder: Path, record: RunRecord) -> dict[str, Any]:
    """What ``memory.json`` holds; empty if there is none, or it is damaged."""
    try:
        return told_by(folder, record, "memory", dict) or {}
    except SideFileError:
        return {}


def deployment_markdown(folder: Path, record: RunRecord) -> str:
    """The lines as a list, and the memory of every strategy and every layer as tables."""
    text = "".join(f"\n- {markdown_line(line)}" for line in deployment_lines(folder, record))
    try:
        return text + (told_by(folder, record, "memory", memory_markdown) or "")
    except SideFileError:
        return text  # the lines name the file


def told_by(
    folder: Path, record: RunRecord, artifact: str, tell: Callable[[Any], Told]
) -> Told | None:
    """What a function makes of a run's JSON file; None if the run has no such file.

    Raises:
        SideFileError: If the file is not the run's, or of another shape.
    """
    file = side_file(folder, record, artifact, USUAL_NAMES[artifact])
    if file is None:
        return None
    data = file.json()
    with shaped(file.path):
        return tell(data)


def _unverified(folder: Path, record: RunRecord) -> list[str]:
    """A line about the files whose digest an older record does not have."""
    names = [
        name
        for artifact, name in USUAL_NAMES.items()
        if artifact not in record.artifacts and (folder / name).is_file()
    ]
    if not names or record.status != "done":
        return []
    return [f"unverified, the record has no digest of {', '.join(names)}"]
