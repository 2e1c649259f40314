"""The texts of a figure, shown literally."""

import re
from collections.abc import Iterator

from matplotlib.artist import Artist
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter

from qat.base.text import plain

_DOLLAR = re.compile(r"(?<!\\)\$")
_OF_AN_AXIS = re.compile(r"\$\\mathdefault\{[-\d.^{}\\times \N{MINUS SIGN}]*\}\$")
"""A number of a logarithmic axis as matplotlib writes it."""


def show_as_text(figure: Figure) -> None:
    """Show every text of a figure literally: a ``$`` in a name does not start a formula."""
    for text in _texts(figure):
        text.set_text(_shown(text.get_text()))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter):
                formatter.seq = [_shown(words) for words in formatter.seq]


def _texts(artist: Artist) -> Iterator[Text]:
    """The texts inside of an artist, but not those at ticks: a formatter writes them."""
    if isinstance(artist, Text):
        yield artist
    is_axis = isinstance(artist, Axis)
    # Not all children of an axis: it would have to make its ticks.
    parts = (artist.label, artist.offsetText) if is_axis else artist.get_children()  # type: ignore[attr-defined]
    for part in parts:
        yield from _texts(part)


def _shown(words: str) -> str:
    if _OF_AN_AXIS.fullmatch(words):
        return words
    return _DOLLAR.sub(r"\\$", plain(words, keep="\n"))
