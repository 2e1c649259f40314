"""Texts of figures that matplotlib would read as formulas, as they are drawn."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure

from qat.analysis.layers import LayerSQNR
from qat.tracking.figures.layers import layer_lines_figure, sqnr_figure
from qat.tracking.figures.png import png
from qat.tracking.figures.text import LiteralFormatter, show_as_text

NAMES = ["a$x_1$b", "${x}", "US$ to $US", "plain"]
ROWS = [LayerSQNR(name, weight_db=40.0, act_db=35.5, output_db=33.0) for name in NAMES]


@pytest.fixture
def drawn(monkeypatch):
    """Texts and formulas in the order in which they are drawn."""
    texts, formulas = [], []
    plain_draw = RendererAgg.draw_text

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        (formulas if ismath else texts).append(s)
        return plain_draw(self, gc, x, y, s, prop, angle, ismath=ismath, mtext=mtext)

    monkeypatch.setattr(RendererAgg, "draw_text", draw_text)
    return texts, formulas


def test_a_dollar_in_a_name_begins_no_formula():
    figure = Figure()
    axes = figure.add_subplot()
    axes.set_title("cost in $ of ${x}")
    for _ in range(2):  # TensorBoard and a file show the same figure
        show_as_text(figure)
        assert axes.get_title() == r"cost in \$ of \${x}"


def every_kind_of_text():
    """Ticks by place, by category and by a function; legend, titles, notes, a colour bar."""
    figure = Figure(figsize=(8, 6))
    (placed, categories), (written, coloured) = figure.subplots(2, 2)
    placed.plot(range(4), label="line $l_1$")
    placed.set_xticks(range(4), NAMES)
    placed.set_yticks([0.25, 1.25], labels=["$low$", "$high$"], minor=True)
    placed.legend(title="legend $of$")
    categories.bar(NAMES, range(4))
    categories.set_title("title $t$")
    categories.annotate("note $n$", (0, 0))
    written.xaxis.set_major_formatter(lambda value, _: f"$v${value:g}")
    written.secondary_yaxis("right").set_yticks([0.5], ["$second$"])
    bar = figure.colorbar(coloured.imshow([[0, 1]]), ax=coloured)
    bar.set_ticks([0, 1], labels=["$first$", "$last$"])
    figure.suptitle("all $of$")
    return figure


@pytest.mark.parametrize("make", [every_kind_of_text, lambda: sqnr_figure(ROWS)])
def test_every_text_is_drawn_as_it_was_written(make, drawn):
    texts, formulas = drawn
    figure = make()
    for _ in range(2):
        png(figure)
    assert not formulas
    assert {*NAMES} <= {*texts}
    assert not [text for text in texts if "\\" in text]
    if make is every_kind_of_text:
        words = ("line $l_1$", "legend $of$", "title $t$", "note $n$", "all $of$", "$v$0.2")
        assert {*words, "$low$", "$high$", "$second$", "$first$", "$last$"} <= {*texts}


def test_lines_of_layers_have_the_names_of_the_layers(drawn):
    png(layer_lines_figure({"lr=$1$": {"conv$1$": 3.0, "fc": 2.0}}))
    assert {"conv$1$", "fc", "lr=$1$"} <= {*drawn[0]}
    assert not drawn[1]


def test_powers_of_an_axis_stay_formulas(drawn):
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([1, 100])
    axes.set_yscale("log")
    png(figure)
    assert r"$\mathdefault{10^{1}}$" in drawn[1]


def test_figures_without_a_dollar_are_the_same_pixels():
    def figure():
        own = Figure()
        axes = own.add_subplot()
        axes.plot([1e-7, 3e-7], label="a")
        axes.set_xticks([0, 1], ["b", "c"])
        axes.legend()
        return own

    own, plain_figure = figure(), figure()
    show_as_text(own)
    assert isinstance(own.axes[0].xaxis.major.formatter, LiteralFormatter)
    pixels = []
    for each in (own, plain_figure):
        canvas = FigureCanvasAgg(each)
        canvas.draw()
        pixels.append(bytes(canvas.buffer_rgba()))
    assert pixels[0] == pixels[1]
