"""Pivots of records that are written by hand."""

import pytest

from qat.tables.errors import TableError
from qat.tables.layout import LAYOUTS, TableSpec, table_spec
from qat.tables.pivot import pivot
from qat.tables.render import render
from qat.tables.rows import grouped
from qat.tables.table import table_from
from tests.tables.conftest import lines, planned, two_networks


def test_method_by_bits_as_pact_has_it(study):
    table = lines(render(table_from(study, LAYOUTS["pact"])))
    assert table[0] == ["model", "method", "mode", "W8 A8", "W4 A4"]
    assert table[2][1:] == ["lsq", "qat", "**91.00 ± 1.00**", "**87.00 ± 1.00**"]
    assert table[3][1:] == ["minmax", "qat", "81.00 ± 1.00", "77.00 ± 1.00"]
    assert table[4][3].startswith("**90.93")  # within the pairs' spread of the best


def test_calibration_by_bits_as_nvidia_has_it(make):
    runs = [
        make(
            bits,
            bits,
            metrics={"top1": 0.9},
            plan=planned(bits, observer=name),
        )
        for name in ("minmax", "mse")
        for bits in (8, 4)
    ]
    table = lines(render(table_from(runs, LAYOUTS["nvidia"])))
    assert table[0] == ["model", "calibration", "W8 A8", "W4 A4"]
    assert [row[1] for row in table[2:4]] == ["minmax", "mse"]


def test_several_metrics_share_an_upper_header(study):
    spec = TableSpec(
        layout="pivot", rows=("method",), columns=("weight_bits",), values=("top1", "bops")
    )
    table = table_from(study, spec)
    assert lines(render(table))[0] == [
        "method",
        "W8 top-1 [%]",
        "W8 BOPs [G]",
        "W4 top-1 [%]",
        "W4 BOPs [G]",
    ]
    latex = render(table, "latex")
    assert r" & \multicolumn{2}{c}{W8} & \multicolumn{2}{c}{W4} \\" in latex
    assert r"\cmidrule(lr){2-3} \cmidrule(lr){4-5}" in latex
    assert '<th colspan="2">W8</th>' in render(table, "html")


def test_another_protocol_is_marked_in_its_cell(study, make):
    odd = make(
        8,
        8,
        seed=0,
        plan=planned(8, quantizer="dorefa"),
        metrics={"top1": 0.7},
        protocol={"training.max_epochs": 90},
    )
    text = render(table_from([*study, odd], LAYOUTS["pact"]))
    (row,) = [line for line in lines(text) if "dorefa" in line]
    assert row[3].endswith("[1]")
    assert row[4] == "–"
    assert "[1] training.max_epochs 90, others 3" in text
    with pytest.raises(TableError, match=r"another protocol than the others.*epochs 90"):
        table_from([*study, odd], LAYOUTS["pact"], strict=True)
    axis = table_spec({"layout": "pact", "axes": ["training.max_epochs"]})
    assert "[1]" not in render(table_from([*study, odd], axis, strict=True))


def test_two_settings_in_one_cell_are_refused_with_the_cure(make):
    runs = [make(metrics={"top1": 0.9}), make(metrics={"top1": 0.8}, mode="static")]
    spec = TableSpec(layout="pivot", rows=("method",), columns=("weight_bits",), values=("top1",))
    with pytest.raises(TableError, match=r"two settings belong into .*add mode"):
        table_from(runs, spec)


def test_each_network_has_a_best_of_its_own(make):
    table = lines(render(table_from(two_networks(make), LAYOUTS["pact"])))
    bold = {(row[0], row[1]): row[3].startswith("**") for row in table[2:6]}
    assert bold == {
        ("simple_cnn", "lsq"): True,
        ("simple_cnn", "minmax"): False,
        ("resnet20", "lsq"): True,
        ("resnet20", "minmax"): False,
    }
    over_all = table_spec({"layout": "pact", "within": []})
    assert render(table_from(two_networks(make), over_all)).count("**") == 2


def test_columns_go_from_wide_to_narrow(study):
    spec = LAYOUTS["pact"]
    columns, rows, notes = pivot(grouped(study[::-1], spec.rows + spec.columns), spec, [])
    assert [column.header for column in columns] == ["model", "method", "mode", "W8 A8", "W4 A4"]
    assert [row.cells[1] for row in rows] == ["lsq", "minmax", "pact"]
    assert notes == []


def test_group_gives_each_seed_rows_of_its_own(study, make):
    spec = table_spec({"layout": "pact", "group": ["seed"], "bold": []})
    table = lines(render(table_from([*study, make(mode="float", metrics={"top1": 0.95})], spec)))
    assert table[0] == ["model", "method", "mode", "seed", "W32 A32", "W8 A8", "W4 A4"]
    rows = {(row[1], row[3]): row[4:] for row in table[2:12]}
    assert rows["–", "0"] == ["95.00", "–", "–"]
    assert rows["lsq", "2"] == ["–", "92.00", "88.00"]
    assert len(rows) == 10
