"""Figures over many runs: what is drawn, by the data of its lines."""

import numpy as np
import pytest

from qat.cli.main import main
from qat.records.schema import RunRecord
from qat.report.study_figures import cost_points, study_figures
from qat.tables.points import measured, points_of
from qat.tables.points_file import POINTS_NAME, points_csv, read_points
from qat.tracking.figures.bits import bits_figure
from qat.tracking.figures.history import history_figure
from qat.tracking.figures.layers import layer_lines_figure
from qat.tracking.figures.pareto import CostPoint, pareto_figure
from qat.tracking.figures.sensitivity import sensitivity_figure
from qat.tracking.figures.style import save_figures
from tests.tables.conftest import plan

POINTS = [
    CostPoint("w8a8", "lsq", 4096, 0.92, 0.001),
    CostPoint("w4a4", "lsq", 2048, 0.91, 0.002),
    CostPoint("w4a4 minmax", "minmax", 2048, 0.80),
    CostPoint("w2a2", "lsq", 1024, 0.70, 0.01),
]


def lines(figure, label):
    found = [line for line in figure.axes[0].lines if line.get_label() == label]
    return np.stack(found[0].get_data(), axis=1).tolist()


def test_accuracy_against_size_with_its_front():
    figure = pareto_figure(POINTS, "packed_bytes", "it")
    front = [[1.0, 70.0], [2.0, 91.0], [4.0, 92.0]]  # KiB and percent; minmax is beaten
    assert np.allclose(lines(figure, "Pareto front"), front)
    names = {text.get_text() for text in figure.axes[0].texts}
    assert names == {"w2a2", "w4a4", "w8a8"}
    assert figure.axes[0].get_xlabel() == "packed size [KiB]"
    assert len(figure.axes[0].containers) == 2


def test_a_wide_range_of_costs_is_logarithmic():
    wide = [*POINTS, CostPoint("float", "float", 1e6, 0.93)]
    assert pareto_figure(wide, "packed_bytes").axes[0].get_xscale() == "log"
    assert pareto_figure(POINTS, "packed_bytes").axes[0].get_xscale() == "linear"
    with pytest.raises(ValueError, match="no point to draw"):
        pareto_figure([], "bops")


def test_accuracy_by_bits_with_bars_and_float():
    figure = bits_figure({"lsq": [(8, 0.92, 0.01), (4, 0.91, None)]}, float_top1=0.93)
    (container,) = figure.axes[0].containers
    data, _, (bars,) = container
    assert np.allclose(data.get_xydata(), [[4, 91], [8, 92]])
    ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
    assert np.allclose(ends, [[91, 91], [91, 93]])
    assert figure.axes[0].lines[-1].get_ydata()[0] == pytest.approx(93)


def test_sensitivity_with_bits_over_it():
    figure = sensitivity_figure(["conv1", "conv2"], [0.1, 0.02], [8, 4], "points")
    bars, widths = figure.axes
    assert [bar.get_height() for bar in bars.patches] == [0.1, 0.02]
    assert list(widths.lines[0].get_ydata()) == [8, 4]
    assert bars.get_ylabel() == "sensitivity [points]"
    with pytest.raises(ValueError, match="of one length"):
        sensitivity_figure(["conv1"], [0.1], [])


def test_few_courses_are_named_and_many_coloured_by_depth():
    few = history_figure({"a.weight": [(0, 0.5), (10, 0.4)]}, "scale")
    assert lines(few, "a.weight") == [[0, 0.5], [10, 0.4]]
    assert few.axes[0].get_yscale() == "log"
    many = history_figure({f"l{i}.act": [(0, i + 1.0)] for i in range(20)}, "clipping")
    assert len(many.axes) == 2
    assert [tick.get_text() for tick in many.axes[1].get_yticklabels()] == ["l0", "l19"]
    with pytest.raises(ValueError, match="metric must be one of scale"):
        history_figure({}, "speed")
    with pytest.raises(ValueError, match=r"tracking\.history_every"):
        history_figure({"a": []}, "flips")


def record(number, bits, seed, top1):
    mode = "float" if bits == 32 else "static"
    return RunRecord(
        id=f"{number:012x}",
        status="done",
        mode=mode,
        seed=seed,
        plan=None if bits == 32 else plan(bits, bits),
        protocol={"data": {"name": "cifar10"}, "float": {"model": {"name": "resnet20"}}},
        metrics={"top1": top1, "bops": 1e9 * bits * bits}
        | ({} if bits == 32 else {"packed_bytes": 1024 * bits}),
    )


def test_lines_join_runs_of_one_grid():
    runs = [record(n, 8, 0, 0.9) for n in (1, 2)] + [record(3, 4, 0, 0.8)]
    for run, symmetric in zip(runs, (True, False, True), strict=True):
        for layer in run.plan["layers"].values():
            layer["act"]["symmetric"] = symmetric
            layer["weight"]["bits"] = 32
    figure = study_figures(runs)["accuracy_bits"]
    drawn = {c.get_label(): c[0].get_xydata().tolist() for c in figure.axes[0].containers}
    assert drawn == {
        "lsq static, A symmetric, of inputs alone": [[4, 80], [8, 90]],
        "lsq static, A asymmetric, of inputs alone": [[8, 90]],
    }


def test_a_study_draws_what_its_records_carry(tmp_path):
    runs = [record(0, 32, 0, 0.92)]
    runs += [record(8 * b + s, b, s, 0.9 - 0.1 / b) for b in (8, 4, 2) for s in (0, 1)]
    figures = study_figures(runs)
    assert list(figures) == ["accuracy_size", "accuracy_bops", "accuracy_bits"]
    assert len(lines(figures["accuracy_bops"], "Pareto front")) == 4
    paths = save_figures(figures, tmp_path)
    assert [path.suffix for path in paths] == [".png", ".svg", ".pdf"] * 3
    assert study_figures([]) == {}


def test_float_stands_beside_with_its_own_size_and_latency():
    plain = RunRecord(
        id="f" * 12,
        status="done",
        mode="float",
        seed=0,
        metrics={"top1": 0.9, "float_bytes": 4096, "float_latency_ms": 2.0},
    )
    other = RunRecord(
        id="a" * 12,
        status="done",
        mode="static",
        seed=0,
        plan=plan(8, 8),
        metrics={"top1": 0.8, "packed_bytes": 1024, "latency_ms": 1.0},
    )
    points = points_of(measured([plain, other]))
    sizes = {point.label: point.cost for point in cost_points(points, "packed_bytes")}
    assert sizes == {"float": 4096, "w8a8-lsq static": 1024}
    times = {point.label: point.cost for point in cost_points(points, "latency_ms")}
    assert times == {"float": 2.0, "w8a8-lsq static": 1.0}
    assert cost_points(points, "bops") == []


def test_a_written_study_is_drawn_anew_from_its_points(tmp_path):
    runs = [record(0, 32, 0, 0.92)]
    runs += [record(8 * b + s, b, s, 0.9 - 0.1 / b) for b in (8, 4, 2) for s in (0, 1)]
    (tmp_path / POINTS_NAME).write_text(points_csv(measured(runs)), encoding="utf-8")
    assert read_points(tmp_path / POINTS_NAME) == measured(runs)
    assert main(["table", str(tmp_path), "--into", str(tmp_path / "out")]) == 0
    drawn = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert drawn == {"accuracy_size", "accuracy_bops", "accuracy_bits"}


def test_layers_come_in_the_order_of_the_network():
    courses = {"a": {"fc": 3.0, "conv2": 2.0}, "b": {"conv1": 1.0, "fc": 3.0}}
    figure = layer_lines_figure(courses, ["conv1", "conv2", "fc"], "it")
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert ticks == ["conv1", "conv2", "fc"]
    assert figure.axes[0].get_title() == "it"


def test_what_two_settings_of_one_width_have_no_line_joins():
    figure = bits_figure({"lsq": [(4, 0.9, None), (4, 0.8, None), (8, 0.91, None)]})
    (container,) = figure.axes[0].containers
    assert container[0].get_linestyle() == "None"
