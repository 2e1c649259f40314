"""The stage that a run is in: a small file in its folder, replaced at each stage."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qat.base.atomic import write_atomic
from qat.base.reading import read_json

STAGE_NAME = "stage.json"
LARGEST_STAGE = 2**16
LATEST = 2.0**33
"""Latest time that is believed, in seconds since 1970."""


@dataclass(frozen=True)
class Stage:
    """One stage of a run.

    Attributes:
        name: As in the record's ``seconds``.
        since: When it began, in seconds since 1970.
    """

    name: str
    since: float


def note_stage(folder: Path, name: str) -> None:
    """Write that a stage begins now; the file is written whole or not at all.

    Args:
        folder: The run's.
        name: Of the stage, as in the record's ``seconds``.

    Raises:
        WriteError: If the disk refuses.
    """
    write_atomic(folder / STAGE_NAME, json.dumps({"name": name, "since": time.time()}) + "\n")


def noted_stage(folder: Path) -> Stage | None:
    """The latest stage; None if there is none, or the file cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        stored = read_json(folder / STAGE_NAME, LARGEST_STAGE)
        since = float(stored["since"]) if isinstance(stored, dict) and "since" in stored else -1.0
        if 0 <= since < LATEST:
            return Stage(str(stored.get("name")), since)
    return None


def forget_stage(folder: Path) -> None:
    """Delete the file, because the run has ended."""
    (folder / STAGE_NAME).unlink(missing_ok=True)
