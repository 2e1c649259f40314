"""Figures over many runs: what is drawn, by the data of its lines."""

import numpy as np
import pytest

from qat.cli.main import main
from qat.records.schema import RunRecord
from qat.report.study_figures import cost_points, study_figures
from qat.tables.points import measured, points_of
from qat.tables.points_file import POINTS_NAME, points_csv, read_points
from tests.tables.conftest import plan


def lines(figure, label):
    found = [line for line in figure.axes[0].lines if line.get_label() == label]
    return np.stack(found[0].get_data(), axis=1).tolist()


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
        "A symmetric, of inputs alone": [[4, 80], [8, 90]],
        "A asymmetric, of inputs alone": [[8, 90]],
    }


def test_a_study_draws_what_its_records_carry():
    runs = [record(0, 32, 0, 0.92)]
    runs += [record(8 * b + s, b, s, 0.9 - 0.1 / b) for b in (8, 4, 2) for s in (0, 1)]
    figures = study_figures(runs)
    assert list(figures) == ["accuracy_size", "accuracy_bops", "accuracy_bits"]
    assert len(lines(figures["accuracy_bops"], "Pareto front")) == 4
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


@pytest.mark.slow
def test_a_written_study_is_drawn_anew_from_its_points(tmp_path):
    runs = [record(0, 32, 0, 0.92)]
    runs += [record(8 * b + s, b, s, 0.9 - 0.1 / b) for b in (8, 4, 2) for s in (0, 1)]
    (tmp_path / POINTS_NAME).write_text(points_csv(measured(runs)), encoding="utf-8")
    assert read_points(tmp_path / POINTS_NAME) == measured(runs)
    assert main(["table", str(tmp_path), "--into", str(tmp_path / "out")]) == 0
    drawn = {path.stem for path in (tmp_path / "out" / "figures").iterdir()}
    assert drawn == {"accuracy_size", "accuracy_bops", "accuracy_bits"}
