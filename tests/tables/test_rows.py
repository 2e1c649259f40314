"""Groups with notes, blocks of comparable rows, and the lines on unfinished runs."""

from pathlib import Path

import pytest

from qat.records.store import RecordProblem
from qat.tables.columns import make_column
from qat.tables.errors import TableError
from qat.tables.rows import blocks, cell_of, footer, grouped, numbered, values_by_seed


def test_groups_have_notes_in_words(make):
    runs = [make(8), make(4, gate="failed", protocol={"training.max_epochs": 30}), make(2)]
    groups = grouped(runs, ["mode"])
    assert groups.unlike == ["", "training.max_epochs 30, others 3", ""]
    assert groups.notes == [[], ["training.max_epochs 30, others 3", "missed its gate: run2"], []]
    with pytest.raises(TableError, match=r"1 row has another protocol .*list the difference"):
        grouped(runs, ["mode"], strict=True)
    assert grouped(runs, ["mode"], axes=["training"], strict=True).unlike == ["", "", ""]


def test_equal_notes_have_one_number():
    assert numbered([["b", "a"], [], ["a", "c"]]) == {"b": 1, "a": 2, "c": 3}


def test_rows_are_compared_within_settings_and_equal_notes(make):
    cifar = {"data.name": "cifar10"}
    rows = [[make()], None, [make(protocol=cifar)], [make(2)], [make(3)]]
    assert blocks(rows, ["data"]) == [[0, 3, 4], [2]]
    assert blocks(rows, ["data"], ["", "", "", "epochs 9", ""]) == [[0, 4], [2], [3]]
    assert blocks(rows, []) == [[0, 2, 3, 4]]


def test_a_cell_is_the_mean_of_a_metric_or_the_settings(make):
    runs = [make(seed=0, metrics={"top1": 0.25}), make(seed=1, metrics={"top1": 0.75}), make()]
    assert values_by_seed(runs[:2], "top1") == {0: 0.25, 1: 0.75}
    assert cell_of(runs, make_column("top1", runs)).mean == 0.5
    assert cell_of(runs, make_column("seed", runs)) == "0, 1"
    assert cell_of(runs, make_column("study", runs)) is None


def test_unfinished_and_unreadable_runs_are_named(make):
    runs = [make(), make(status="failed", error="OSError: full\nmore"), make(status="running")]
    assert list(footer(runs, [RecordProblem(Path("x"), "cut")])) == [
        "1 running, not in the table: run3",
        "1 failed, not in the table: run2 (OSError: full)",
        "1 unreadable, skipped: x (cut)",
    ]
