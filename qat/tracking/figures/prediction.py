"""Did the prediction hold: predicted harm against measured accuracy, a point a plan."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from qat.tracking.figures.style import BLUE, ORANGE, new_figure


def prediction_figure(
    harms: Sequence[float],
    accuracies: Sequence[float],
    chosen: tuple[float, float] | None = None,
    unit: str = "",
    title: str = "",
) -> Figure:
    """Random plans, and the chosen one among them.

    Args:
        harms: Predicted, one a plan.
        accuracies: Measured, fractions.
        chosen: Harm and accuracy of the chosen plan.
        unit: Of the harms.
        title: Of the figure.

    Raises:
        ValueError: If there is no plan, or the two are not of one length.
    """
    if not harms or len(harms) != len(accuracies):
        raise ValueError(
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
