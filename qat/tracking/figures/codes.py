"""Histogram of codes as bars, in front of the histogram of the values before rounding."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from qat.analysis.codes import CodeCounts
from qat.base.errors import InputError
from qat.tracking.figures.png import png
from qat.tracking.figures.style import BLUE, GREY, ORANGE, powers_of_ten

COLOURS = {"weights": ORANGE, "inputs": BLUE}
PANEL_INCHES = 4.4, 3.2
"""Width and height of a panel."""
MARGIN_INCHES = 0.66, 0.12, 0.5, 0.36
"""Left, right, bottom and top."""
LABEL_INCHES = 0.39278, 0.29167
"""From the axes to the label of the vertical axis, and to that of the horizontal one."""
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

    Example:
        >>> edges = np.array([-2.0, 0.0, 2.0])
        >>> counts = CodeCounts(-1, 1, np.array([3, 5, 2]), edges, np.array([4, 6]))
        >>> codes_figure("fc", {"weights": counts}).axes[0].get_xlabel()
        'code (3 of 3 codes used)'
    """
    if not tensors:
        raise InputError(f"{name}: no tensor to draw")
    figure = _empty(len(tensors))
    _fill(figure, name, tensors)
    return figure


def codes_pictures(layers: Mapping[str, Mapping[str, CodeCounts]]) -> dict[str, bytes]:
    """The figure of each layer, as the content of a PNG file.

    Layers with the same number of tensors are drawn in one figure after another, because to make
    axes and their ticks takes as long as to draw them.

    Args:
        layers: Name of a layer → its tensors, as for :func:`codes_figure`.

    Returns:
        Name of a layer → content.

    Raises:
        ValueError: If a layer has no tensor.
    """
    figures: dict[int, Figure] = {}
    pictures = {}
    for name, tensors in layers.items():
        if len(tensors) in figures:
            _fill(figures[len(tensors)], name, tensors)
        else:
            figures[len(tensors)] = codes_figure(name, tensors)
        pictures[name] = png(figures[len(tensors)])
    return pictures


def _empty(panels: int) -> Figure:
    """A figure with axes that have no data yet."""
    width, height = PANEL_INCHES[0] * panels, PANEL_INCHES[1]
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    # Fixed margins and places of labels: to compute them from the texts would take longer than the
    # drawing.
    left, right, bottom, top = MARGIN_INCHES
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height, 0.22)
    for axes in figure.subplots(1, panels, squeeze=False)[0]:
        axes.set_yscale("log")
        powers_of_ten(axes.yaxis)
        axes.set_ylabel("values")
        wide, high = axes.bbox.width / figure.dpi, axes.bbox.height / figure.dpi
        axes.yaxis.set_label_coords(-LABEL_INCHES[0] / wide, 0.5)
        axes.xaxis.set_label_coords(0.5, -LABEL_INCHES[1] / high)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _fill(figure: Figure, name: str, tensors: Mapping[str, CodeCounts]) -> None:
    """Draw a layer into the axes of a figure, in place of the layer before."""
    for axes, (word, codes) in zip(figure.axes, tensors.items(), strict=True):
        for patch in list(axes.patches):
            patch.remove()
        _panel(axes, word, codes)
        # A position that is not given is computed from all labels of the axes.
        axes.set_title(f"{name}: {word}", fontsize="medium", y=1.0)


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
    # With room for the legend: to look for a free place would take time.
    axes.set_ylim(0.5, HEADROOM * max(before.max(), heights.max(), 1.0))
    used = int(np.count_nonzero(codes.counts))
    of = "bars" if width > 1 else "codes"
    axes.set_xlabel(f"code ({used} of {len(codes.counts)} {of} used)")
    axes.legend(loc="upper right", ncols=2, frameon=False, fontsize="small")
