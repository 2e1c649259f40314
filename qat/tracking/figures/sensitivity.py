"""Sensitivity of each layer as bars, with its allocated bits as a line."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.style import BLUE, ORANGE, new_figure


def sensitivity_figure(
    layers: Sequence[str], scores: Sequence[float], bits: Sequence[int], unit: str = ""
) -> Figure:
    """Bars of sensitivity, and the allocated widths on a second axis.

    Args:
        layers: Names, in execution order.
        scores: Sensitivity of each layer.
        bits: Allocated width of each layer.
        unit: Unit and quantity of the scores.

    Raises:
        ValueError: If there is no layer, or the three lengths differ.

    Example:
        >>> sensitivity_figure(["conv", "fc"], [0.3, 0.1], [8, 4], "KL").axes[0].get_ylabel()
        'sensitivity [KL]'
    """
    if not layers or not len(layers) == len(scores) == len(bits):
        raise InputError(
            f"layers, scores and bits must be of one length and not empty, got {len(layers)}, "
            f"{len(scores)}, {len(bits)}"
        )
    figure, axes = new_figure(width=max(5.0, 1.5 + 0.4 * len(layers)))
    places = range(len(layers))
    axes.bar(places, scores, color=BLUE, label="sensitivity")
    axes.set_ylabel(f"sensitivity [{unit}]" if unit else "sensitivity")
    axes.set_xticks(places, list(layers), rotation=60, ha="right")
    widths = axes.twinx()
    widths.spines["top"].set_visible(False)
    widths.step(places, bits, where="mid", color=ORANGE, marker="o", label="bits")
    widths.set_ylabel("bits", color=ORANGE)
    widths.set_yticks(sorted(set(bits)))
    widths.set_ylim(0, max(bits) + 1)
    axes.margins(x=0.01)
    return figure
