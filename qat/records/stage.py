"""Which stage a run is in: a small file in its folder, replaced as the run goes on."""

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
"""Seconds since 1970 that a calendar still has."""


@dataclass(frozen=True)
class Stage:
    """What a run is doing.

    Attributes:
        name: As in the record's ``seconds``.
        since: When it began, in seconds since 1970.
    """

    name: str
    since: float


def note_stage(folder: Path, name: str) -> None:
    """Write that a stage begins now; there whole or not at all."""
    write_atomic(folder / STAGE_NAME, json.dumps({"name": name, "since": time.time()}) + "\n")


def noted_stage(folder: Path) -> Stage | None:
    """The stage that was last noted; None if there is none, or the file cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        stored = read_json(folder / STAGE_NAME, LARGEST_STAGE)
        since = float(stored["since"]) if isinstance(stored, dict) and "since" in stored else -1.0
        if 0 <= since < LATEST:
            return Stage(str(stored.get("name")), since)
    return None


def forget_stage(folder: Path) -> None:
    """The run has ended."""
    (folder / STAGE_NAME).unlink(missing_ok=True)
