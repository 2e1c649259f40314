"""Steps, clipping and code flips over a training, with one line for each tensor."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.tracking.figures.style import GREY, look_of, new_figure

WORDS = {
    "scale": "step",
    "clipping": "share of values clipped",
    "flips": "share of weights that flip their code, per step",
    "sqnr_db": "SQNR [dB]",
}
LOGARITHMIC = ("scale", "flips")
MAX_LEGEND = 8
Course = Sequence[tuple[int, float]]
"""Training step and value, in order."""


def history_figure(courses: Mapping[str, Course], metric: str, title: str = "") -> Figure:
    """One line for each tensor over training steps.

    Lines of weights are solid, those of inputs dashed. More than eight lines have no names; their
    colour shows the depth of the layer in the network.

    Args:
        courses: ``layer.slot`` → course, in the order of the layers.
        metric: ``scale``, ``clipping``, ``flips`` or ``sqnr_db``.
        title: Of the figure.

    Raises:
        ValueError: If the metric is unknown, or there is nothing to draw.

    Example:
        >>> courses = {"fc.weight": [(0, 0.5), (100, 0.4)], "fc.act": [(0, 0.1), (100, 0.2)]}
        >>> history_figure(courses, "scale").axes[0].get_ylabel()
        'step'
    """
    one_of("metric", metric, WORDS)
    if not any(courses.values()):
        raise InputError(f"no {metric} to draw: set tracking.history_every above 0 and train")
    figure, axes = new_figure(width=7.0)
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in courses))
    many = len(courses) > MAX_LEGEND
    colours = matplotlib.colormaps["viridis"]
    for index, (name, course) in enumerate(courses.items()):
        layer, _, slot = name.rpartition(".")
        depth = layers.index(layer) / max(len(layers) - 1, 1)
        axes.plot(
            [step for step, _ in course],
            [value for _, value in course],
            color=colours(depth) if many else look_of(index)["color"],
            linestyle="-" if slot == "weight" else "--",
            linewidth=1.2,
            label=name,
        )
    positive = all(value > 0 for course in courses.values() for _, value in course)
    if metric in LOGARITHMIC and positive:
        axes.set_yscale("log")
    axes.set_xlabel("training step")
    axes.set_ylabel(WORDS[metric])
    axes.set_title(title)
    if many:
        _explain_colours(figure, axes, layers)
    else:
        axes.legend(frameon=False, fontsize="small")
    return figure


def _explain_colours(figure: Figure, axes: Axes, layers: Sequence[str]) -> None:
    scale = Normalize(0, max(len(layers) - 1, 1))
    bar = figure.colorbar(ScalarMappable(scale, matplotlib.colormaps["viridis"]), ax=axes)
    bar.set_ticks([0, len(layers) - 1], labels=[layers[0], layers[-1]])
    styles = [Line2D([], [], color=GREY, linestyle=style) for style in ("-", "--")]
    axes.legend(styles, ["weight", "input"], frameon=False, fontsize="small")
