"""Texts of figures that matplotlib would read as formulas."""

from matplotlib.figure import Figure

from qat.tracking.figures.text import show_as_text


def test_a_dollar_in_a_name_begins_no_formula():
    figure = Figure()
    axes = figure.add_subplot()
    axes.set_title("cost in $ of ${x}")
    for _ in range(2):  # TensorBoard and a file show the same figure
        show_as_text(figure)
        assert axes.get_title() == r"cost in \$ of \${x}"
