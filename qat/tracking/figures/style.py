"""Shared by all figures: size, colours, legends, and reproducible files."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from qat.tracking.figures.png import FILE_DPI, png
from qat.tracking.figures.text import show_as_text

# Okabe and Ito's colours: colour-blind readers can distinguish them, also in grey.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
COLOURS = (BLUE, ORANGE, GREEN, "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GREY = "#666666"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FORMATS = (".png", ".svg", ".pdf")
_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def new_figure(width: float = 6.4, height: float = 4.2) -> tuple[Figure, Axes]:
    """A figure with one pair of axes.

    Args:
        width: In inches.
        height: In inches.
    """
    # Not pyplot: it keeps every figure in memory, and its backend depends on the display.
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def look_of(index: int) -> dict[str, Any]:
    """Colour and marker of the series ``index``; after eight a colour has another marker.

    Example:
        >>> look_of(0), look_of(8)
        ({'color': '#0072B2', 'marker': 'o'}, {'color': '#0072B2', 'marker': 's'})
    """
    repeats = index // len(COLOURS)
    marker = MARKERS[(index + repeats) % len(MARKERS)]
    return {"color": COLOURS[index % len(COLOURS)], "marker": marker}


def below(figure: Figure, axes: Axes) -> None:
    """Put the legend under the axes, where it covers no data; long names give fewer columns.

    Args:
        figure: That gets the legend.
        axes: Its series have labels.
    """
    handles, labels = axes.get_legend_handles_labels()
    longest = max(map(len, labels), default=0)
    columns = 1 if longest > 45 else 2 if longest > 22 else 3
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize="small"
    )


def plain_numbers(axes: Axes) -> None:
    """Label a logarithmic horizontal axis with plain numbers (0.2, 20), not powers of ten."""
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def powers_of_ten(axis: Axis) -> None:
    """Label a logarithmic axis with powers of ten (10³), without marks between them.

    matplotlib writes the same labels as formulas, whose parsing takes much of a drawing's time.

    Args:
        axis: Has a logarithmic scale.
    """
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _power_of_ten(value)))


def _power_of_ten(value: float) -> str:
    exponent = math.log10(value) if value > 0 else math.nan
    if not math.isfinite(exponent) or abs(exponent - round(exponent)) > 1e-9:
        return ""
    return f"10{str(round(exponent)).translate(_RAISED)}"


def save_figure(figure: Figure, path: Path) -> Path:
    """Save a figure; the same figure always gives the same bytes.

    Args:
        figure: To save.
        path: The suffix is the format (``.png``, ``.svg``, ``.pdf``); a missing folder is created.

    Returns:
        ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        path.write_bytes(png(figure, FILE_DPI))
        return path
    show_as_text(figure)
    with matplotlib.rc_context({"svg.hashsalt": "qat"}):
        figure.savefig(path, dpi=FILE_DPI, metadata=_UNDATED[path.suffix])
    return path


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Save each figure as PNG, SVG and PDF.

    Args:
        figures: Name → figure; the name is that of the files.
        folder: A missing one is created.

    Returns:
        The paths of all files.
    """
    return [
        save_figure(figure, folder / f"{name}{suffix}")
        for name, figure in figures.items()
        for suffix in FORMATS
    ]
