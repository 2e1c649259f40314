"""Predicted harm of plans, against measured accuracy and against weight memory."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.style import BLUE, ORANGE, new_figure


def prediction_figure(
    harms: Sequence[float],
    accuracies: Sequence[float],
    chosen: tuple[float, float] | None = None,
    unit: str = "",
    title: str = "",
) -> Figure:
    """Measured accuracy against predicted harm, with one point for each plan.

    Args:
        harms: Predicted harm of each random plan.
        accuracies: Measured accuracy of each random plan, a fraction.
        chosen: Harm and accuracy of the chosen plan; None for none.
        unit: Of the harms.
        title: Of the figure.

    Raises:
        ValueError: If there is no plan, or the two lengths differ.

    Example:
        >>> prediction_figure([0.1, 0.2], [0.9, 0.8], chosen=(0.05, 0.91)).axes[0].get_xlabel()
        'predicted harm'
    """
    if not harms or len(harms) != len(accuracies):
        raise InputError(
            f"harms and accuracies must be of one length and not empty, got {len(harms)} and "
            f"{len(accuracies)}"
        )
    figure, axes = new_figure()
    axes.scatter(harms, [100 * value for value in accuracies], color=BLUE, label="random plans")
    if chosen is not None:
        harm, top1 = chosen
        axes.scatter([harm], [100 * top1], color=ORANGE, marker="D", label="chosen plan")
    if min(harms) > 0 and (chosen is None or chosen[0] > 0):
        axes.set_xscale("log")
    axes.set_xlabel(f"predicted harm [{unit}]" if unit else "predicted harm")
    axes.set_ylabel("top-1 [%]")
    axes.set_title(title)
    axes.legend(frameon=False)
    return figure


def front_figure(weight_bytes: Sequence[float], harms: Sequence[float], unit: str = "") -> Figure:
    """Predicted harm against weight memory in KiB, for the plans of a Pareto front.

    Args:
        weight_bytes: Of each plan, ascending.
        harms: Predicted harm of each plan.
        unit: Of the harms.

    Raises:
        ValueError: If there is no plan, or the two lengths differ.

    Example:
        >>> front_figure([1024, 2048], [0.2, 0.1]).axes[0].get_xlabel()
        'weights [KiB]'
    """
    if not harms or len(harms) != len(weight_bytes):
        raise InputError(
            f"weight_bytes and harms must be of one length and not empty, got {len(weight_bytes)} "
            f"and {len(harms)}"
        )
    figure, axes = new_figure()
    kib = [value / 1024 for value in weight_bytes]
    axes.step(kib, harms, where="post", color=BLUE, marker="o", markersize=3)
    if min(harms) > 0:
        axes.set_yscale("log")
    axes.set_xlabel("weights [KiB]")
    axes.set_ylabel(f"predicted harm [{unit}]" if unit else "predicted harm")
    return figure
