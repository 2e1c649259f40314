"""Progress: in a terminal a line that moves, elsewhere a line for each stage that took a while."""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from qat.base.durations import duration
from qat.base.text import plain
from qat.records.stage import note_stage

PLAIN_WIDTH = 160
BAR_WIDTH = 16
WORTH_A_LINE_SECONDS = 1.0


class PlainConsole(Console):
    """A console on which text is text: neither markup nor control sequences in it act."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Text as it is shown."""
        return super().render_str(plain(text, keep="\n"), **options)


def console(stderr: bool = False) -> Console:
    """The terminal, or a plain stream: as wide as COLUMNS says there, else generously wide.

    With NO_COLOR set, nothing is coloured, bold or dim.
    """
    stream = sys.stderr if stderr else sys.stdout
    fitted = stream.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return PlainConsole(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if fitted else PLAIN_WIDTH,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
    )


class Bar:
    """One line of progress."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, note: str = "") -> None:
        """One step further."""
        self._progress.update(self._task, advance=1, note=plain(note))


class _Line:
    """The moving line of this process: it shows the innermost of the bars that are open."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.open: list[TaskID] = []
        self.silent = False

    def push(self, description: str, total: float | None, completed: int) -> Bar:
        if self.progress is None:
            self.progress = _progress(disable=self.silent)
            self.progress.start()
        for outer in self.open:
            self.progress.update(outer, visible=False)
        task = self.progress.add_task(plain(description), total=total, completed=completed, note="")
        self.open.append(task)
        return Bar(self.progress, task)

    def pop(self, bar: Bar) -> None:
        progress = bar._progress
        progress.refresh()  # what ends between two refreshes is drawn once, too
        self.open.remove(bar._task)
        progress.remove_task(bar._task)
        if self.open:
            progress.update(self.open[-1], visible=True)
        else:
            progress.stop()
            self.progress = None


_line = _Line()


def be_silent() -> None:
    """No progress from this process any more: several beside each other would share one line."""
    _line.silent = True


@contextmanager
def bar(description: str, total: float | None = None, completed: int = 0) -> Iterator[Bar]:
    """A bar for the time of the block; it disappears when the block ends."""
    shown = _line.push(description, total, completed)
    try:
        yield shown
    finally:
        _line.pop(shown)


def tracked(description: str, items: Iterable[Any]) -> Iterator[Any]:
    """The items, with a bar."""
    total = len(items) if isinstance(items, Sized) else None
    with bar(description, total) as shown:
        for item in items:
            yield item
            shown.advance()


@contextmanager
def stage(name: str, folder: Path | None = None, told: bool = True) -> Iterator[None]:
    """Show that a stage of a run is under way.

    Args:
        name: As in the record's ``seconds``.
        folder: The run's, where the stage is noted for other processes.
        told: Where no terminal is, print a line when it has ended, if it took a second or more.
    """
    if folder is not None:
        note_stage(folder, name)
    start = time.perf_counter()
    with bar(name.replace("_", " ")):
        yield
    seconds = time.perf_counter() - start
    if told and seconds >= WORTH_A_LINE_SECONDS and not (_line.silent or _watched()):
        print(f"[{name}] ... {duration(seconds)}", file=sys.stderr, flush=True)


class _TimeColumn(ProgressColumn):
    """How long it has taken and, where that can be told, how long it will take."""

    def render(self, task: Task) -> Text:
        words = duration(task.elapsed or 0.0)
        if task.total and task.time_remaining:
            words += f", {duration(task.time_remaining)} to go"
        return Text(words)


class _CountColumn(ProgressColumn):
    """``3/8``; nothing where there is nothing to count."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:.0f}/{task.total:.0f}" if task.total else "")


def _progress(disable: bool) -> Progress:
    stream = console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        _CountColumn(),
        _TimeColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=stream,
        transient=True,
        disable=disable or not _watched(),
        # What is printed meanwhile goes above the line, unless it goes somewhere else anyway.
        redirect_stdout=sys.stdout.isatty(),
    )


def _watched() -> bool:
    """Whether a line may move: a terminal that can, with somebody in front of it."""
    stream = console(stderr=True)
    return stream.is_terminal and not stream.is_dumb_terminal
