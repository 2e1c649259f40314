"""Progress of long work: any subpackage reports it here, and a screen draws it.

Without a screen nothing is drawn. :func:`draw_on` sets one, see :mod:`qat.report.console`.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, Protocol

Track = Callable[[Iterable[Any]], Iterable[Any]]
"""Wraps the items of a slow loop to show its progress; ``iter`` shows none."""


class Bar(Protocol):
    """One line of progress."""

    def advance(self, note: str = "") -> None:
        """Move on by one step; ``note`` is shown beside it."""


class Screen(Protocol):
    """Draws bars."""

    @property
    def moves(self) -> bool:
        """True if a line can be redrawn in place."""

    def push(self, description: str, total: float | None, completed: int) -> Bar:
        """Begin a bar; bars that are already open are hidden until it ends.

        Args:
            description: Text before the bar.
            total: Number of steps; None if it is not known.
            completed: Steps that are already done.
        """

    def pop(self, bar: Bar) -> None:
        """End a bar."""


class _NoBar:
    def advance(self, note: str = "") -> None:
        pass


class _NoScreen:
    moves = False

    def push(self, description: str, total: float | None, completed: int) -> Bar:
        return _NoBar()

    def pop(self, bar: Bar) -> None:
        pass


class _ProcessScreen:
    screen: Screen = _NoScreen()
    silent = False


def draw_on(screen: Screen) -> None:
    """Draw the bars of this process on ``screen``."""
    _ProcessScreen.screen = screen


def be_silent() -> None:
    """Show no progress of this process, for processes that would share one line."""
    _ProcessScreen.screen, _ProcessScreen.silent = _NoScreen(), True


@contextmanager
def progress_of(silent: bool) -> Iterator[None]:
    """Inside the block, progress is drawn or not; afterwards as before it.

    Args:
        silent: Show no progress; else, a screen may be set inside the block.
    """
    process = _ProcessScreen
    before = process.screen, process.silent
    process.screen, process.silent = _NoScreen(), silent
    try:
        yield
    finally:
        process.screen, process.silent = before


def is_silent() -> bool:
    """True after :func:`be_silent`."""
    return _ProcessScreen.silent


def is_watched() -> bool:
    """True if lines are redrawn in place: the screen is an interactive terminal."""
    return _ProcessScreen.screen.moves


@contextmanager
def bar(description: str, total: float | None = None, completed: int = 0) -> Iterator[Bar]:
    """Show a bar inside the block; it disappears when the block ends.

    Args:
        description: Text before the bar.
        total: Number of steps; None if it is not known.
        completed: Steps that are already done.
    """
    screen = _ProcessScreen.screen
    shown = screen.push(description, total, completed)
    try:
        yield shown
    finally:
        screen.pop(shown)


def tracked(description: str, items: Iterable[Any]) -> Iterator[Any]:
    """Iterate over ``items`` and show a bar.

    Args:
        description: Text before the bar.
        items: What to iterate over; if it has a length, the bar has a total.
    """
    total = len(items) if isinstance(items, Sized) else None
    with bar(description, total) as shown:
        for item in items:
            yield item
            shown.advance()
