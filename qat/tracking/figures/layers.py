"""The signal-to-quantization-noise ratio (SQNR) of each layer."""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.style import BLUE, GREEN, ORANGE, below, look_of, new_figure


class LayerDecibels(Protocol):
    """The SQNR of one layer in dB; None for a tensor that is not quantized."""

    @property
    def name(self) -> str:
        """Name of the layer."""

    @property
    def weight_db(self) -> float | None:
        """SQNR of the weight."""

    @property
    def act_db(self) -> float | None:
        """SQNR of the input."""

    @property
    def output_db(self) -> float | None:
        """SQNR of the output, with the errors of all earlier layers."""


BARS = (("weight_db", "weight", BLUE), ("act_db", "input", ORANGE), ("output_db", "output", GREEN))


def sqnr_figure(rows: Sequence[LayerDecibels]) -> Figure:
    """Bars of each layer's SQNR in dB: weight, input, and output with the errors of earlier layers.

    A tensor that is not quantized has no bar. A tensor without any error (infinite SQNR) has the
    sign ∞ instead of a bar.

    Args:
        rows: One for each layer, in the order of the network.

    Raises:
        ValueError: If there is no layer.

    Example:
        >>> from qat.analysis.layers import LayerSQNR
        >>> figure = sqnr_figure([LayerSQNR("fc", 20.0, 30.0, 19.5)])
        >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
        ['fc']
    """
    if not rows:
        raise InputError("no layer to draw: give the rows of layer_sqnr")
    figure, axes = new_figure(width=max(5.0, 1.5 + 0.45 * len(rows)), height=4.0)
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
    axes.set_title("What quantization left of each layer", y=1.0)
    axes.legend(frameon=False, ncols=len(BARS), loc="upper right")
    axes.margins(x=0.01, y=0.2)
    return figure


def layer_lines_figure(
    courses: Mapping[str, Mapping[str, float]], order: Sequence[str] = (), title: str = ""
) -> Figure:
    """SQNR of each layer's output in dB, with one line for each setting.

    Args:
        courses: Setting → layer → dB.
        order: Layers in the order of the network; all others follow them.
        title: Of the figure.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> courses = {"w4a4": {"conv": 20.0, "fc": 15.0}, "w8a8": {"conv": 40.0}}
        >>> figure = layer_lines_figure(courses)
        >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
        ['conv', 'fc']
    """
    recorded = dict.fromkeys(name for course in courses.values() for name in course)
    layers = [name for name in order if name in recorded]
    layers += [name for name in recorded if name not in layers]
    if not layers:
        raise InputError("no layer to draw: no run has the SQNR of its layers")
    figure, axes = new_figure(width=max(6.4, 2.0 + 0.4 * len(layers)), height=4.4)
    for index, (label, course) in enumerate(courses.items()):
        places = [place for place, name in enumerate(layers) if name in course]
        values = [course[layers[place]] for place in places]
        axes.plot(places, values, label=label, linewidth=1, markersize=4, **look_of(index))
    axes.set_xticks(range(len(layers)), layers, rotation=60, ha="right")
    axes.set_ylabel("SQNR of the output [dB]")
    axes.set_title(title)
    below(figure, axes)
    return figure
