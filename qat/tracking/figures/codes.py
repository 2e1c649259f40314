"""Histogram of codes as bars, in front of the histogram of the values before rounding."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from qat.analysis.codes import CodeCounts
from qat.base.errors import InputError
from qat.tracking.figures.style import BLUE, GREY, ORANGE

COLOURS = {"weights": ORANGE, "inputs": BLUE}
BAR = 0.8
"""Width of a bar, in codes."""


def codes_figure(name: str, tensors: Mapping[str, CodeCounts]) -> Figure:
    """A panel for each tensor of a layer, with one bar for each code of the grid, used or not.

    The area behind the bars is the histogram of the values before rounding, in values per code, so
    that both can be compared.

    Args:
        name: Of the layer.
        tensors: Name of a tensor, such as ``weights`` or ``inputs`` → counts of its codes.

    Raises:
        ValueError: If there is no tensor.
    """
    if not tensors:
        raise InputError(f"{name}: no tensor to draw")
    figure = Figure(figsize=(4.4 * len(tensors), 3.2), layout="tight")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(tensors), squeeze=False)[0]
    for axes, (word, codes) in zip(panels, tensors.items(), strict=True):
        _panel(axes, word, codes)
        axes.set_title(f"{name}: {word}", fontsize="medium")
    return figure


def _panel(axes: Axes, word: str, codes: CodeCounts) -> None:
    width, of_bin = codes.codes_a_bar, codes.edges[1] - codes.edges[0]
    axes.stairs(
        codes.before * width / of_bin,
        codes.edges,
        fill=True,
        color=GREY,
        alpha=0.35,
        label="before rounding",
    )
    left = codes.first - BAR / 2 + width * np.arange(len(codes.counts))
    bars = np.stack([left, left + width - 1 + BAR], axis=1).ravel()
    heights = np.zeros(len(bars) - 1)  # bars and the gaps between them
    heights[::2] = codes.counts
    axes.stairs(heights, bars, fill=True, color=COLOURS.get(word, ORANGE), label="codes")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.5)
    used = int(np.count_nonzero(codes.counts))
    of = "bars" if width > 1 else "codes"
    axes.set_xlabel(f"code ({used} of {len(codes.counts)} {of} used)")
    axes.set_ylabel("values")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    _leave_out_empty_labels(axes)


def _leave_out_empty_labels(axes: Axes) -> None:
    """Hide the labels of minor ticks if all are empty: matplotlib measures each of them."""
    locations = axes.yaxis.get_minorticklocs()
    if not any(axes.yaxis.get_minor_formatter().format_ticks(locations)):
        axes.tick_params(axis="y", which="minor", labelleft=False)
