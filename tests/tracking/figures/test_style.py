"""What all figures share: files, colours, legends, words."""

import pytest
from matplotlib.image import imread

from qat.tracking.figures.style import (
    below,
    look_of,
    new_figure,
    plain_numbers,
    save_figure,
    save_figures,
)


def drawn():
    figure, axes = new_figure(width=2, height=1.5)
    axes.plot([1, 20], [0, 1], label="a_$b$")
    axes.set_title("cost in $ of ${x}")
    return figure


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_figures_are_saved(tmp_path, suffix, start):
    path = save_figure(drawn(), tmp_path / "sub" / f"it{suffix}")
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, suffix):
    first, second = (
        save_figure(drawn(), tmp_path / f"{name}{suffix}").read_bytes() for name in "ab"
    )
    assert first == second


def test_a_size_is_in_inches_and_every_format_is_written(tmp_path):
    paths = save_figures({"it": drawn()}, tmp_path)
    assert [path.name for path in paths] == ["it.png", "it.svg", "it.pdf"]
    assert imread(paths[0]).shape == (225, 300, 3)  # 150 dots an inch
    pdf = paths[2].read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf


def test_sixteen_series_can_be_told_from_one_another():
    looks = {(look["color"], look["marker"]) for look in map(look_of, range(16))}
    assert len(looks) == 16
    assert look_of(8)["color"] == look_of(0)["color"]


@pytest.mark.parametrize(("length", "columns"), [(10, 3), (30, 2), (50, 1)])
def test_a_legend_has_fewer_columns_the_longer_its_names(length, columns):
    figure, axes = new_figure()
    for index in range(3):
        axes.plot([0, 1], label=str(index) * length)
    below(figure, axes)
    assert figure.legends[0]._ncols == columns


def test_numbers_on_a_logarithmic_axis_have_no_powers():
    figure, axes = new_figure()
    axes.plot([0.1, 50], [0, 1])
    axes.set_xscale("log")
    plain_numbers(axes)
    figure.canvas.draw()
    words = [tick.get_text() for tick in axes.get_xticklabels()]
    assert {"0.1", "0.2", "0.5", "1", "20"} <= set(words)
