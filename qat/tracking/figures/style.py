"""What all figures share: size, colours, and files that are the same each time."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter, LogLocator, NullFormatter

from qat.base.text import plain

# Okabe and Ito's colours: told apart by colour-blind readers and in grey.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
COLOURS = (BLUE, ORANGE, GREEN, "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GREY = "#666666"
_DOLLAR = re.compile(r"(?<!\\)\$")
_OF_AN_AXIS = re.compile(r"\$\\mathdefault\{[-\d.^{}\\times \N{MINUS SIGN}]*\}\$")
"""How matplotlib itself writes the numbers of a logarithmic axis."""
FORMATS = (".png", ".svg", ".pdf")
_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def new_figure(width: float = 6.4, height: float = 4.2) -> tuple[Figure, Axes]:
    """A figure of so many inches with one pair of axes."""
    # Not pyplot: it keeps every figure alive, and picks a backend by the display.
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def look_of(index: int) -> dict[str, Any]:
    """Colour and marker of the n-th series; the ninth has the first's colour, another marker."""
    again = index // len(COLOURS)
    marker = MARKERS[(index + again) % len(MARKERS)]
    return {"color": COLOURS[index % len(COLOURS)], "marker": marker}


def below(figure: Figure, axes: Axes) -> None:
    """The legend under the axes, where it covers no data; none for a single entry."""
    handles, labels = axes.get_legend_handles_labels()
    longest = max(map(len, labels), default=0)
    columns = 1 if longest > 45 else 2 if longest > 22 else 3
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize="small"
    )


def plain_numbers(axes: Axes) -> None:
    """Numbers as one writes them on a logarithmic axis: 0.2, 20, no powers of ten."""
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def show_as_text(figure: Figure) -> None:
    """Have every word of a figure shown as it is: a ``$`` in a name begins no formula."""
    for text in figure.findobj(Text):
        text.set_text(_shown(text.get_text()))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter):
                formatter.seq = [_shown(words) for words in formatter.seq]


def _shown(words: str) -> str:
    if _OF_AN_AXIS.fullmatch(words):
        return words
    return _DOLLAR.sub(r"\\$", plain(words, keep="\n"))


def save_figure(figure: Figure, path: Path) -> Path:
    """Save a figure as its suffix says (``.png``, ``.svg``, ``.pdf``); its folder is made.

    The same figure gives the same bytes: no date, no random names.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    show_as_text(figure)
    with matplotlib.rc_context({"svg.hashsalt": "qat"}):
        figure.savefig(path, dpi=150, metadata=_UNDATED.get(path.suffix))
    return path


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Save each as PNG, SVG and PDF under its name."""
    return [
        save_figure(figure, folder / f"{name}{suffix}")
        for name, figure in figures.items()
        for suffix in FORMATS
    ]
