"""The texts of a figure, shown literally."""

import re
from collections.abc import Iterator

from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter

from qat.base.text import plain

_DOLLAR = re.compile(r"(?<!\\)\$")
_OF_AN_AXIS = re.compile(r"\$\\mathdefault\{[-\d.^{}\\times \N{MINUS SIGN}]*\}\$")
"""A number of a logarithmic axis as matplotlib writes it."""


def show_as_text(figure: Figure) -> None:
    """Show every text of a figure literally: a ``$`` in a name does not start a formula."""
    for artist in _parts(figure):
        if isinstance(artist, Axis):
            _show_ticks_as_text(artist)
        elif isinstance(artist, Text):
            artist.set_text(_shown(artist.get_text()))


class LiteralFormatter(Formatter):
    """The tick labels of another formatter, in which a ``$`` does not start a formula.

    Args:
        formatter: Writes the labels.
    """

    def __init__(self, formatter: Formatter) -> None:
        self._formatter = formatter

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of one tick.

        Args:
            x: Its place on the axis.
            pos: Its number; None if it is not known.
        """
        return _shown(self._formatter(x, pos))

    def format_ticks(self, values: list[float]) -> list[str]:
        """The labels of all ticks."""
        return [_shown(words) for words in self._formatter.format_ticks(values)]

    def format_data(self, value: float) -> str:
        """The value in full."""
        return self._formatter.format_data(value)

    def format_data_short(self, value: float) -> str:
        """The value in few digits."""
        return self._formatter.format_data_short(value)

    def get_offset(self) -> str:
        """What all labels have in common."""
        return _shown(self._formatter.get_offset())

    def set_locs(self, locs: list[float]) -> None:
        """Take the places of all ticks.

        Args:
            locs: On the axis.
        """
        self._formatter.set_locs(locs)


def _show_ticks_as_text(axis: Axis) -> None:
    """Let the labels at the ticks of an axis be shown literally, and change nothing else."""
    for ticker in (axis.major, axis.minor):
        if ticker.formatter is not None and not isinstance(ticker.formatter, LiteralFormatter):
            ticker.formatter = LiteralFormatter(ticker.formatter)


def _parts(artist: Artist) -> Iterator[Artist]:
    """An artist and all inside of it, but no ticks: a formatter writes their labels."""
    yield artist
    is_axis = isinstance(artist, Axis)
    # Not all children of an axis: it would have to make its ticks.
    parts = (artist.label, artist.offsetText) if is_axis else artist.get_children()  # type: ignore[attr-defined]
    for part in parts:
        yield from _parts(part)


def _shown(words: str) -> str:
    if _OF_AN_AXIS.fullmatch(words):
        return words
    return _DOLLAR.sub(r"\\$", plain(words, keep="\n"))
