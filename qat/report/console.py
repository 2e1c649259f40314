"""Output on the terminal: text without markup, and a moving progress line."""

import errno
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
    """A console that prints text as it is: markup and control sequences have no effect."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Text with its control characters escaped."""
        return super().render_str(plain(text, keep="\n"), **options)

    def on_broken_pipe(self) -> None:
        """Pass the error of a pipe without a reader on; rich itself would end the process.

        Raises:
            BrokenPipeError: Always.
        """
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(stderr: bool = False) -> Console:
    """A console for stdout or stderr.

    Its width is that of the terminal. For a pipe or a file it is ``COLUMNS``, or else
    :data:`PLAIN_WIDTH`. If ``NO_COLOR`` is set, nothing is coloured, bold or dim.

    Args:
        stderr: Use stderr instead of stdout.
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


class _ShownBar:
    """A progress bar that is shown in the terminal."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, note: str = "") -> None:
        """Advance the bar by one step.

        Args:
            note: Text behind the bar.
        """
        self._progress.update(self._task, advance=1, note=plain(note))


class _ProgressLine:
    """The progress line of this process: it shows the innermost of the open bars."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.open: list[TaskID] = []
        self.moves = _is_interactive()

    def push(self, description: str, total: float | None, completed: int) -> _ShownBar:
        if self.progress is None:
            self.progress = _progress(disable=not self.moves)
            self.progress.start()
        for outer in self.open:
            self.progress.update(outer, visible=False)
        task = self.progress.add_task(plain(description), total=total, completed=completed, note="")
        self.open.append(task)
        return _ShownBar(self.progress, task)

    def pop(self, bar: Bar) -> None:
        assert isinstance(bar, _ShownBar)
        progress = bar._progress
        progress.refresh()  # so that a short bar is drawn at least once
        self.open.remove(bar._task)
        progress.remove_task(bar._task)
        if self.open:
            progress.update(self.open[-1], visible=True)
        else:
            progress.stop()
            self.progress = None


def draw_progress() -> None:
    """Show the progress of this process in its terminal."""
    if not is_silent():
        draw_on(_ProgressLine())


class _TimeColumn(ProgressColumn):
    """The time so far and, if it can be estimated, the remaining time."""

    def render(self, task: Task) -> Text:
        words = duration(task.elapsed or 0.0)
        if task.total and task.time_remaining:
            words += f", {duration(task.time_remaining)} to go"
        return Text(words)


class _CountColumn(ProgressColumn):
    """``3/8``; empty if the total is unknown."""

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
        # Other output on the terminal is printed above the line.
        redirect_stdout=sys.stdout.isatty(),
    )


def _is_interactive() -> bool:
    """True if stderr is a terminal that can redraw a line."""
    stream = console(stderr=True)
    return stream.is_terminal and not stream.is_dumb_terminal
