"""Figures of one run, drawn without a display."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from qat.analysis.sqnr import LayerSQNR

# Okabe and Ito's colours: told apart by colour-blind readers and in grey.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
BARS = (("weight_db", "weight", BLUE), ("act_db", "input", ORANGE), ("output_db", "output", GREEN))
MAX_GRID_LINES = 64
HISTOGRAM_BINS = 101


def sqnr_figure(rows: Sequence[LayerSQNR]) -> Figure:
    """Bars of each layer's SQNR in dB: weight, input, and output with all errors from before.

    A tensor left alone has no bar; one that lost nothing (infinite) has none either, and says ∞.

    Raises:
        ValueError: If there is no layer.
    """
    if not rows:
        raise ValueError("no layer to draw: give the rows of layer_sqnr")
    figure = _figure(width=max(5.0, 1.5 + 0.45 * len(rows)), height=4.0)
    axes = figure.add_subplot()
    width = 0.8 / len(BARS)
    for position, (field, words, colour) in enumerate(BARS):
        offsets = np.arange(len(rows)) + (position - 1) * width
        values = [getattr(row, field) for row in rows]
        heights = [v if v is not None and math.isfinite(v) else 0.0 for v in values]
        axes.bar(offsets, heights, width, label=words, color=colour)
        for x, value in zip(offsets, values, strict=True):
            if value is not None and math.isinf(value):
                axes.annotate("∞", (x, 0), ha="center", va="bottom", color=colour)
    axes.set_xticks(range(len(rows)), [row.name for row in rows], rotation=60, ha="right")
    axes.set_ylabel("SQNR [dB]")
    axes.set_title("What quantization left of each layer")
    axes.legend(frameon=False, ncols=len(BARS), loc="upper right")
    axes.margins(x=0.01, y=0.2)
    _plain(figure)
    return figure


def weight_figure(name: str, before: Tensor, after: Tensor, levels: Tensor | None = None) -> Figure:
    """Histogram of a weight before and after quantization, with the grid it was put on.

    Args:
        name: The layer.
        before: Float weight, any shape.
        after: Quantized (decoded) weight, of the same shape.
        levels: Values the codes can take; None for those that ``after`` has. More than 64 (a
            wide code, or a scale for each channel) are not drawn.

    Raises:
        ValueError: If the shapes differ or a weight is empty.
    """
    if before.shape != after.shape or before.numel() == 0:
        raise ValueError(
            f"{name}: weights must be of one shape and not empty, got {tuple(before.shape)} "
            f"and {tuple(after.shape)}"
        )
    first, second = _flat(before), _flat(after)
    grid = np.unique(second) if levels is None else np.unique(_flat(levels))
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    if low == high:  # a constant weight still has a bin to stand in
        low, high = low - 0.5, high + 0.5
    bins = np.linspace(low, high, HISTOGRAM_BINS).tolist()
    figure = _figure(width=6.5, height=3.8)
    axes = figure.add_subplot()
    if grid.size <= MAX_GRID_LINES:
        for value in grid:
            axes.axvline(value, color="0.75", linewidth=0.8, zorder=0)
    axes.hist(second, bins, color=ORANGE, label="quantized")
    axes.hist(first, bins, color=BLUE, alpha=0.75, label="float")
    axes.set_yscale("log")  # a quantized weight heaps on a few values
    axes.set_xlabel("weight")
    axes.set_ylabel("count")
    axes.set_title(
        f"{name}: {grid.size} values" if levels is None else f"{name}: {grid.size} levels"
    )
    axes.legend(frameon=False)
    _plain(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> Path:
    """Save a figure as its suffix says (``.png``, ``.svg``); the folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path


def _figure(width: float, height: float) -> Figure:
    # Not pyplot: it keeps every figure alive, and picks a backend by the display.
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _plain(figure: Figure) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)


def _flat(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().flatten().numpy()
