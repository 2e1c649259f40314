"""Values before and after quantization with their grid, and the error in steps."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from qat.base.errors import InputError
from qat.tracking.figures.style import BLUE, GREY, ORANGE, new_figure

MAX_GRID_LINES = 64
BINS = 101


def histogram_figure(
    name: str,
    before: ArrayLike,
    after: ArrayLike,
    levels: ArrayLike | None = None,
    quantity: str = "weight",
) -> Figure:
    """Histogram of a tensor before and after quantization, with the levels of its grid.

    Args:
        name: Of the tensor.
        before: Float values, any shape.
        after: Quantized (decoded) values, of the same shape.
        levels: Values of the codes; None takes the values of ``after``. More than 64 (many bits,
            or one scale for each channel) are not drawn.
        quantity: Label of the horizontal axis.

    Raises:
        ValueError: If the shapes differ or there are no values.

    Example:
        >>> histogram_figure("fc", [0.1, 0.4, 0.9], [0.0, 0.5, 1.0]).axes[0].get_title()
        'fc: 3 values'
    """
    first, second = _pair(name, before, after)
    grid = np.unique(second) if levels is None else np.unique(np.asarray(levels, dtype=float))
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    figure, axes = new_figure()
    bins = np.linspace(low, high, BINS)
    if grid.size <= MAX_GRID_LINES:
        for level in grid:
            axes.axvline(level, color=GREY, linewidth=0.6, alpha=0.6, zorder=0)
    axes.hist(second, bins.tolist(), color=ORANGE, label="quantized")
    axes.hist(first, bins.tolist(), color=BLUE, alpha=0.75, label="float")
    axes.set_yscale("log")  # a quantized tensor has many elements at few values
    axes.set_xlabel(quantity)
    axes.set_ylabel("count")
    axes.set_title(f"{name}: {grid.size} {'values' if levels is None else 'levels'}")
    axes.legend(frameon=False)
    return figure


def error_figure(name: str, before: ArrayLike, after: ArrayLike, step: float) -> Figure:
    """Histogram of the quantization error in units of the step.

    Inside the range the rounding error is at most half a step; a larger error comes from clipping.

    Args:
        name: Of the tensor.
        before: Float values, any shape.
        after: Quantized (decoded) values, of the same shape.
        step: Of the quantizer, in the unit of the values.

    Raises:
        ValueError: If the shapes differ, there are no values, or the step is not above 0.

    Example:
        >>> error_figure("fc", [0.1, 0.4, 1.9], [0.0, 0.5, 1.0], step=0.5).axes[0].get_title()
        'fc: 33.33 % beyond half a step'
    """
    first, second = _pair(name, before, after)
    if not step > 0:
        raise InputError(f"{name}: step must be above 0, got {step}")
    error = (second - first) / step
    figure, axes = new_figure()
    reach = max(0.55, float(np.abs(error).max()))
    axes.hist(error, np.linspace(-reach, reach, BINS).tolist(), color=BLUE)
    for half in (-0.5, 0.5):
        axes.axvline(half, color=GREY, linewidth=0.8, linestyle="--")
    axes.set_yscale("log")
    axes.set_xlabel("error [steps]")
    axes.set_ylabel("count")
    clipped = float((np.abs(error) > 0.5 + 1e-6).mean())
    axes.set_title(f"{name}: {100 * clipped:.2f} % beyond half a step")
    return figure


def _pair(name: str, before: ArrayLike, after: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    if first.shape != second.shape or first.size == 0:
        raise InputError(
            f"{name}: values must be of one shape and not empty, got {first.shape} "
            f"and {second.shape}"
        )
    return first.ravel(), second.ravel()
