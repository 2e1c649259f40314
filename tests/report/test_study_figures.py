"""Which figures the stored runs of a study give."""

from qat.report import study_figures as module
from qat.report.study_figures import (
    history_figures,
    layer_courses,
    layer_order,
    run_history,
    strategy_rows,
    write_study_figures,
)
from qat.tables.points import measured, points_of
from tests.stored_runs import a_record, store

OUTPUTS = [{"name": name, "slot": "output", "sqnr_db": 9.5} for name in ("last", "first")]
HISTORY = "step,layer,slot,metric,value\n0,inner,weight,scale,0.5\n9,inner,weight,scale,0.25\n"


def test_layers_have_a_course_if_most_of_them_were_stored(tmp_path):
    folder, record = store(tmp_path, a_record(), layers=OUTPUTS)
    few, other = store(tmp_path, a_record("bbb222", weight=8), layers=OUTPUTS[:1])
    runs = {record.id: folder, other.id: few}
    courses = layer_courses([record, other], runs)
    assert list(courses.values()) == [{"last": 9.5, "first": 9.5}]
    assert layer_order([record, other]) == ["first", "inner", "last"]


def test_each_setting_has_a_course_of_its_own(tmp_path):
    runs, records = {}, []
    for number in range(9):
        protocol = a_record().protocol | {"training": {"dampening": number / 10}}
        own = [{"name": n, "slot": "output", "sqnr_db": float(number)} for n in ("last", "first")]
        folder, record = store(tmp_path, a_record(f"run{number}", protocol=protocol), layers=own)
        runs[record.id] = folder
        records.append(record)
    courses = layer_courses(records, runs)
    assert courses["w4a4, dampening 0.3"] == {"last": 3.0, "first": 3.0}
    assert len(courses) == 9
    (axes,) = module.all_figures(records, runs, "aids")["layer_sqnr"].axes
    assert axes.get_title() == "aids, lsq static, 8 of 9 settings"
    assert {line.get_ydata()[0] for line in axes.get_lines()} >= {0.0, 8.0}


def test_each_network_has_a_course_of_its_own(tmp_path):
    runs, records = {}, []
    for model in ("simple_cnn", "resnet20"):
        own = a_record().protocol["float"] | {"model": {"name": model}}
        changes = {"protocol": a_record().protocol | {"float": own}}
        folder, record = store(tmp_path, a_record(model, **changes), layers=OUTPUTS)
        runs[record.id] = folder
        records.append(record)
    names = [label.partition(" on ")[0] for label in layer_courses(records, runs)]
    assert sorted(names) == ["resnet20", "simple_cnn"]


def test_a_width_that_all_share_is_no_reason_for_a_series_of_its_own():
    runs = [a_record(f"w{w}", weight=w, act=8, metrics={"top1": w / 10}) for w in (8, 4, 3)]
    (axes,) = module.study_figures(runs)["accuracy_bits"].axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["lsq static, A8"]


def test_the_history_gives_a_figure_for_each_metric(tmp_path, capsys):
    folder, record = store(tmp_path, a_record(), history=HISTORY)
    history = run_history(folder, record)
    assert [(row.step, row.value) for row in history.rows] == [(0, 0.5), (9, 0.25)]
    assert list(history_figures(history)) == ["history_scale"]
    (folder / "history.csv").write_text("another")
    assert run_history(folder, record).rows == ()
    assert "history.csv" in capsys.readouterr().err


def test_uniform_plans_stand_with_the_budget_of_their_size():
    budget = {"allocation": {"allocator": "ilp", "budgets": {"uniform_bits": 4}}}
    mixed = a_record(mode="mixed", protocol=a_record().protocol | budget)
    sizes = {"mixed": 1000, "same": 1015, "other": 2000}
    records = [
        mixed.move_to("done", metrics={"top1": 0.8, "weight_bytes": sizes["mixed"]}),
        a_record("b", metrics={"top1": 0.7, "weight_bytes": sizes["same"]}),
        a_record("c", weight=8, metrics={"top1": 0.9, "weight_bytes": sizes["other"]}),
    ]
    groups = {row.weight_bytes: row.group for row in strategy_rows(points_of(measured(records)))}
    assert groups == {
        1000: "at the cost of 4 bits in every layer",
        1015: "at the cost of 4 bits in every layer",
        2000: "one width in every layer",
    }


def test_a_trained_study_has_figures_of_layers_and_of_its_history(tmp_path, monkeypatch):
    trained = a_record(mode="qat", metrics={"top1": 0.9})
    folder, record = store(tmp_path, trained, layers=OUTPUTS, history=HISTORY)
    monkeypatch.setattr(module, "save_figures", lambda figures, folder: list(figures))
    names = write_study_figures([record], {record.id: folder}, tmp_path / "figures")
    assert names == ["layer_sqnr", "history_scale"]  # one width, and no cost
