"""The arena of each memory strategy relative to naive allocation, for several networks."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from qat.base.errors import InputError
from qat.tracking.figures.style import COLOURS, new_figure


def strategies_figure(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Bars of the arena in percent of naive allocation, with one group for each network.

    Args:
        shares: Network → strategy → percent; every network has the same strategies.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> strategies_figure({"resnet20": {"naive": 100.0, "greedy": 31.0}}).axes[0].get_ylabel()
        'arena [% of naive]'
    """
    names = list(next(iter(shares.values()), {}))
    if not names:
        raise InputError("no strategy to draw: give the percentages of each network")
    figure, axes = new_figure(width=max(6.4, 1.5 + 1.3 * len(shares)))
    width = 0.85 / len(names)
    for index, name in enumerate(names):
        places = [group + (index - (len(names) - 1) / 2) * width for group in range(len(shares))]
        values = [of[name] for of in shares.values()]
        colour = COLOURS[index % len(COLOURS)]
        bars = axes.bar(places, values, width, label=name, color=colour)
        axes.bar_label(bars, fmt="%.0f", fontsize=6)
    axes.set_xticks(range(len(shares)), list(shares))
    axes.set_ylabel("arena [% of naive]")
    axes.legend(frameon=False, fontsize="small", ncols=2)
    axes.margins(y=0.3)
    return figure
