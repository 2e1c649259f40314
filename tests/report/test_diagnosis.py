"""Lines about a run that lost accuracy, from rows written by hand."""

import pytest

from qat.analysis.diagnosis import MORE_IMAGES, Finding, layer_rows
from qat.analysis.rows import TensorRow
from qat.report.diagnosis import (
    drop_lines,
    fall_lines,
    finding_lines,
    float_lines,
    headline,
    layers_table,
    run_layers,
)
from tests.stored_runs import PROTOCOL, a_record, store


def output(name, sqnr, alone):
    return {"name": name, "slot": "output", "sqnr_db": sqnr, "alone_db": alone}


def weight(name, bits, sqnr):
    return {"name": name, "slot": "weight", "sqnr_db": sqnr, "bits": bits}


ROWS = [
    *(output("last", 9.0, 30.0), output("first", 40.0, 40.0), output("inner", 8.0, 8.5)),
    *(weight("first", 8, 42.0), weight("inner", 4, 20.0)),
]


@pytest.fixture
def stored(home):
    """A run that lost 1.2 points: folder and record."""
    metrics = {"top1": 0.888, "float_top1": 0.9, "top1_drop": 0.012}
    return store(home / "runs", a_record(metrics=metrics), layers=ROWS)


def test_layers_come_in_the_order_of_the_plan(stored):
    assert [layer.name for layer in run_layers(*stored)] == ["first", "inner", "last"]


def test_a_drop_has_a_line_with_the_layer_and_one_with_the_command(stored):
    folder, record = stored
    assert drop_lines(folder, record) == [
        "top-1 fell by 1.20 points: the first output to fall is that of inner: 8.0 dB "
        "(outputs before it: 40.0 dB or more)",
        "what to try: qat diagnose aaa111",
    ]
    small = record.move_to("done", metrics={"top1_drop": 0.01})
    assert drop_lines(folder, small) == []
    (folder / "layers.json").write_text("[]")
    (line,) = drop_lines(folder, record)
    assert line.startswith("top-1 fell by 1.20 points; the cause is unknown: ")


def test_the_headline_has_both_accuracies(stored):
    assert headline(stored[1]) == "run aaa111: top-1 90.00 % in float, 88.80 % quantized"
    assert headline(a_record(metrics={})) == "run aaa111: no accuracy was measured"


def test_the_table_has_a_dash_where_nothing_was_measured(stored):
    table = layers_table(run_layers(*stored))
    cells = [list(column.cells) for column in table.columns]
    assert cells[0] == ["first", "inner", "last"]
    assert cells[1] == ["42.0", "20.0", "–"]
    assert cells[-2:] == [["40.0", "8.5", "30.0"], ["40.0", "8.0", "9.0"]]


def test_no_line_if_the_outputs_fall_little_by_little():
    rows = []
    for name, sqnr in zip("abcd", (19.0, 15.0, 11.0, 7.0), strict=True):
        rows.append(TensorRow(name, "output", sqnr, alone_db=19.0))
        rows.append(TensorRow(name, "weight", 20.0, bits=4))  # 19.38 dB are usual
    assert fall_lines(layer_rows(rows, {})) == []


def test_a_finding_has_its_worst_layers_and_commands_with_enough_images():
    data = PROTOCOL["data"] | {"train_images": 3000}
    record = a_record(
        protocol=PROTOCOL | {"data": data},
        overrides=("observer@scheme.act=ema", "scheme.act.observer_options.momentum=0.5"),
    )
    layers = {f"l{i}": f"{i} %" for i in range(6)}
    settings = ("observer@scheme.act=minmax", MORE_IMAGES)
    assert finding_lines([Finding("values are clipped", layers, settings)], record) == [
        "• values are clipped",
        *(f"    l{i}: {i} %" for i in range(4)),
        "    … and 2 more layers",
        "    try: qat run observer@scheme.act=minmax",
        "    try: qat run --from aaa111 calibrate.images=3000",
    ]
    all_in_use = a_record(protocol=PROTOCOL | {"data": data | {"train_images": 1024}})
    lines = finding_lines([Finding("values are clipped", {}, settings)], all_in_use)
    assert lines[1:] == ["    try: qat run --from aaa111 observer@scheme.act=minmax"]


def test_the_command_names_code_folders_and_files_that_the_run_had(home):
    """Each of them is needed again, so that the command works when it is typed."""
    record = a_record(
        overrides=("quantizer@scheme.act=user", "scheme.act.target=mine:Q", "seed=1"),
        environment={"config_dir": str(home / "conf")},
    )
    finding = Finding("values are clipped", {}, ("scheme.weight.granularity=channel",))
    (_, line) = finding_lines([finding], record, home / "other" / "aaa111")
    assert line == (
        f"    try: qat run --from {home}/other/aaa111 --config-dir conf scheme.act.target=mine:Q "
        "scheme.weight.granularity=channel"
    )


def test_an_observer_of_the_users_that_is_replaced_is_not_named_again(home):
    words = ("observer@scheme.act=user", "scheme.act.observer_target=mine:O", "seed=1")
    finding = Finding("values are clipped", {}, ("observer@scheme.act=mse",))
    (_, line) = finding_lines([finding], a_record(overrides=words), home / "runs" / "aaa111")
    assert line == "    try: qat run seed=1 observer@scheme.act=mse"


def test_operations_that_stay_float_are_named():
    plan = {"left_float": [["norm", "LayerNorm"], ["up", "ConvTranspose2d"]]}
    assert float_lines(a_record(plan=plan)) == ["• 2 operations stay float: norm, up"]
    assert float_lines(a_record()) == []
    one = {"left_float": [["norm", "LayerNorm"]]}
    assert float_lines(a_record(plan=one)) == ["• 1 operation stays float: norm"]
