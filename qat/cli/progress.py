"""Progress on the terminal; nothing where output is not one."""

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

PLAIN_WIDTH = 160


def console() -> Console:
    """The terminal, or a plain stream, where a line may be as long as it likes."""
    terminal = sys.stdout.isatty()
    return Console(file=sys.stdout, highlight=False, width=None if terminal else PLAIN_WIDTH)


def progress_bar() -> Progress:
    """A bar that disappears when it is done; silent where nobody watches."""
    error_stream = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=error_stream,
        transient=True,
        disable=not error_stream.is_terminal,
    )


def tracked(description: str, items: Iterable[Any]) -> Iterator[Any]:
    """The items, with a bar."""
    total = len(items) if isinstance(items, Sized) else None
    with progress_bar() as bar:
        task = bar.add_task(description, total=total, note="")
        yield from bar.track(items, task_id=task)
