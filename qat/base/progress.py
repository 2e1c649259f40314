"""Progress of what takes long: rooms below report it here, whoever has a screen draws it.

Without a screen nothing is drawn. :func:`draw_on` gives one: see :mod:`qat.report.console`.
"""

from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, Protocol

Track = Callable[[Iterable[Any]], Iterable[Any]]
"""Wraps what a slow loop runs over, to show its progress; ``iter`` shows none."""


class Bar(Protocol):
    """One line of progress."""

    def advance(self, note: str = "") -> None:
        """One step further."""


class Screen(Protocol):
    """What draws bars."""

    @property
    def moves(self) -> bool:
        """Whether somebody sees a line move."""

    def push(self, description: str, total: float | None, completed: int) -> Bar:
        """Begin a bar; those that are open already are hidden meanwhile."""

    def pop(self, bar: Bar) -> None:
        """End it."""


class _NoBar:
    def advance(self, note: str = "") -> None:
        pass


class _NoScreen:
    moves = False

    def push(self, description: str, total: float | None, completed: int) -> Bar:
        return _NoBar()

    def pop(self, bar: Bar) -> None:
        pass


class _Place:
    screen: Screen = _NoScreen()
    silent = False


def draw_on(screen: Screen) -> None:
    """Let this process draw its bars there."""
    _Place.screen = screen


def be_silent() -> None:
    """No progress from this process any more: several beside each other would share one line."""
    _Place.screen, _Place.silent = _NoScreen(), True


def is_silent() -> bool:
    """Whether this process is to say nothing of its progress."""
    return _Place.silent


def is_watched() -> bool:
    """Whether a line may move: a terminal that can, with somebody in front of it."""
    return _Place.screen.moves


@contextmanager
def bar(description: str, total: float | None = None, completed: int = 0) -> Iterator[Bar]:
    """A bar for the time of the block; it disappears when the block ends."""
    screen = _Place.screen
    shown = screen.push(description, total, completed)
    try:
        yield shown
    finally:
        screen.pop(shown)


def tracked(description: str, items: Iterable[Any]) -> Iterator[Any]:
    """The items, with a bar."""
    total = len(items) if isinstance(items, Sized) else None
    with bar(description, total) as shown:
        for item in items:
            yield item
            shown.advance()
