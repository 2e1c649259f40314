"""The terminal: text as it is meant, and a line of progress that moves."""

import os
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from qat.base.durations import duration
from qat.base.progress import Bar, draw_on, is_silent
from qat.base.text import plain

PLAIN_WIDTH = 160
BAR_WIDTH = 16


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


class _Drawn:
    """A bar as it is drawn."""

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
        self.moves = _watched()

    def push(self, description: str, total: float | None, completed: int) -> _Drawn:
        if self.progress is None:
            self.progress = _progress(disable=not self.moves)
            self.progress.start()
        for outer in self.open:
            self.progress.update(outer, visible=False)
        task = self.progress.add_task(plain(description), total=total, completed=completed, note="")
        self.open.append(task)
        return _Drawn(self.progress, task)

    def pop(self, bar: Bar) -> None:
        assert isinstance(bar, _Drawn)
        progress = bar._progress
        progress.refresh()  # what ends between two refreshes is drawn once, too
        self.open.remove(bar._task)
        progress.remove_task(bar._task)
        if self.open:
            progress.update(self.open[-1], visible=True)
        else:
            progress.stop()
            self.progress = None


def draw_progress() -> None:
    """Let this process draw its progress in the terminal."""
    if not is_silent():
        draw_on(_Line())


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
        disable=disable,
        # What is printed meanwhile goes above the line, unless it goes somewhere else anyway.
        redirect_stdout=sys.stdout.isatty(),
    )


def _watched() -> bool:
    """Whether a line may move: a terminal that can, with somebody in front of it."""
    stream = console(stderr=True)
    return stream.is_terminal and not stream.is_dumb_terminal
