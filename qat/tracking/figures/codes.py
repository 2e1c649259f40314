"""Histogram of codes as bars, in front of the histogram of the values before rounding."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from qat.analysis.codes import CodeCounts
from qat.base.errors import InputError
from qat.tracking.figures.style import BLUE, GREY, ORANGE, powers_of_ten

COLOURS = {"weights": ORANGE, "inputs": BLUE}
PANEL_INCHES = 4.4, 3.2
"""Width and height of a panel."""
MARGIN_INCHES = 0.66, 0.12, 0.5, 0.36
"""Left, right, bottom and top."""
MARGIN = 0.04
"""Free part of the horizontal axis at each end."""
HEADROOM = 8.0
"""Upper end of the vertical axis, over the largest value."""
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
    width, height = PANEL_INCHES[0] * len(tensors), PANEL_INCHES[1]
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    # Fixed margins: to compute them from the texts would take longer than the drawing.
    left, right, bottom, top = MARGIN_INCHES
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height, 0.22)
    panels = figure.subplots(1, len(tensors), squeeze=False)[0]
    for axes, (word, codes) in zip(panels, tensors.items(), strict=True):
        _panel(axes, word, codes)
        axes.set_title(f"{name}: {word}", fontsize="medium")
    return figure


def _panel(axes: Axes, word: str, codes: CodeCounts) -> None:
    width, of_bin = codes.codes_a_bar, codes.edges[1] - codes.edges[0]
    before = codes.before * width / of_bin
    left = codes.first - BAR / 2 + width * np.arange(len(codes.counts))
    bars = np.stack([left, left + width - 1 + BAR], axis=1).ravel()
    heights = np.zeros(len(bars) - 1)  # bars and the gaps between them
    heights[::2] = codes.counts
    # Not axes.stairs, which looks for the limits of each step.
    for values, edges, colour, alpha, label in (
        (before, codes.edges, GREY, 0.35, "before rounding"),
        (heights, bars, COLOURS.get(word, ORANGE), 1.0, "codes"),
    ):
        area = StepPatch(values, edges, color=colour, alpha=alpha, label=label, fill=True)
        axes.add_artist(area)
    ends = min(bars[0], codes.edges[0]), max(bars[-1], codes.edges[-1])
    margin = MARGIN * (ends[1] - ends[0])
    axes.set_xlim(ends[0] - margin, ends[1] + margin)
    axes.set_yscale("log")
    powers_of_ten(axes.yaxis)
    # With room for the legend: to look for a free place would take time.
    axes.set_ylim(0.5, HEADROOM * max(before.max(), heights.max(), 1.0))
    used = int(np.count_nonzero(codes.counts))
    of = "bars" if width > 1 else "codes"
    axes.set_xlabel(f"code ({used} of {len(codes.counts)} {of} used)")
    axes.set_ylabel("values")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper right", ncols=2, frameon=False, fontsize="small")
