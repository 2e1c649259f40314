"""Stages of a run: a bar in a terminal, elsewhere a line for each stage that took a while."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qat.base.durations import duration
from qat.base.progress import bar, is_silent, is_watched
from qat.records.stage import note_stage

WORTH_A_LINE_SECONDS = 1.0


@contextmanager
def stage(name: str, folder: Path | None = None, verbose: bool = True) -> Iterator[None]:
    """Show that a stage of a run is running.

    Args:
        name: Name of the stage, as in the record's ``seconds``.
        folder: The run's folder, where the stage is noted for other processes; None notes nothing.
        verbose: Without a terminal, print a line at the end of a stage that took a second or more.
    """
    if folder is not None:
        note_stage(folder, name)
    start = time.perf_counter()
    with bar(name.replace("_", " ")):
        yield
    seconds = time.perf_counter() - start
    if verbose and seconds >= WORTH_A_LINE_SECONDS and not (is_silent() or is_watched()):
        print(f"[{name}] ... {duration(seconds)}", file=sys.stderr, flush=True)
