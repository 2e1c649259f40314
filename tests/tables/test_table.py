"""Records to a table, as data."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qat.records.store import RECORD_NAME, RecordProblem, find_records
from qat.tables.errors import TableError
from qat.tables.reading import UNTIMED
from qat.tables.statistics import Statistic
from qat.tables.table import make_table


def cells(table, name):
    index = [column.name for column in table.columns].index(name)
    return [row.cells[index] for row in table.rows]


def test_a_row_is_the_mean_over_its_seeds(make):
    runs = [make(seed=s, metrics={"top1": v}) for s, v in enumerate([0.88, 0.90, 0.92])]
    table = make_table(runs)
    (cell,) = cells(table, "top1")
    # squared distances 0.0004 + 0 + 0.0004, over 2, root: 0.02
    assert cell.mean == pytest.approx(0.90)
    assert cell.std == pytest.approx(0.02)
    assert cell.n == 3
    assert table.rows[0].seeds == (0, 1, 2)
    assert table.rows[0].ids == ("run1", "run2", "run3")


def test_the_usual_columns(make):
    metrics = {"top1": 0.9, "top1_drop": 0.01, "packed_bytes": 10, "compression": 4.0, "bops": 5}
    table = make_table([make(metrics=metrics | {"float_loss": 1.0})])
    assert [column.name for column in table.columns] == [
        *("run", "mode", "weight_bits", "act_bits", "method"),
        *("top1", "top1_drop", "packed_bytes", "compression", "bops"),
    ]
    assert [column.header for column in table.columns][-5:] == [
        *("top-1 [%]", "drop [points]", "packed size [KiB]", "compression [×]", "BOPs [G]"),
    ]


def test_settings_in_which_rows_differ_show_themselves(make):
    runs = [
        make(),
        make(plan_changes={"symmetric": False}),
        make(protocol={"data.name": "cifar10"}),
    ]
    table = make_table(runs)
    names = [column.name for column in table.columns]
    assert names == ["data", "run", "mode", "weight_bits", "act_bits", "method", "weight_symmetry"]
    assert cells(table, "weight_symmetry") == ["asymmetric", "symmetric", "symmetric"]


def test_only_finished_runs_are_rows_and_the_others_are_named(make):
    runs = [
        make(metrics={"top1": 0.5}),
        make(2, status="failed", error="ValueError: boom\nmore"),
        make(2, status="interrupted"),
        make(2, status="running"),
        make(2, status="failed", error="OSError: full"),
    ]
    table = make_table(runs, problems=[RecordProblem(Path("x/run.json"), "damaged: cut")])
    assert len(table.rows) == 1
    assert table.footer == (
        "1 running, not in the table: run4",
        "1 interrupted, not in the table: run3",
        "2 failed, not in the table: run2 (ValueError: boom), run5 (OSError: full)",
        "1 unreadable, skipped: x/run.json (damaged: cut)",
        UNTIMED,
    )


def test_unlike_rows_are_marked_or_refused(make):
    runs = [make(8), make(4, protocol={"training.max_epochs": 30}), make(2)]
    table = make_table(runs)
    assert [row.marks for row in table.rows] == [(), (1,), ()]
    assert table.notes == ("training.max_epochs 30, others 3",)
    with pytest.raises(
        TableError, match=r"w4a4-lsq \(qat\): training.max_epochs 30, others 3"
    ) as error:
        make_table(runs, strict=True)
    assert "\n" not in str(error.value)
    assert make_table(runs, axes=["training.max_epochs"], strict=True).notes == ()


def test_what_a_column_shows_is_no_footnote(make):
    runs = [make(8), make(4, protocol={"training.max_epochs": 30})]
    table = make_table(runs, columns=["run", "protocol.training.max_epochs"], strict=True)
    assert cells(table, "protocol.training.max_epochs") == ["3", "30"]
    assert table.columns[1].header == "training.max_epochs"
    placed = [make(8, protocol={"evaluation.placement": p}) for p in ("academic", "integer")]
    assert make_table(placed, columns=["run", "placement"]).notes == ()


def test_equal_notes_share_a_number_and_others_go_on(make):
    short = {"training.max_epochs": 1}
    runs = [make(8), make(6), make(5), make(4, protocol=short), make(3, protocol=short)]
    runs.append(make(2, environment={"commit": "b" * 40}))
    table = make_table(runs)
    assert [row.marks for row in table.rows] == [(), (), (), (1,), (1,), (2,)]
    assert len(table.notes) == 2


def test_mixed_commits_are_noted_but_not_refused(make):
    runs = [make(8), make(4, environment={"commit": "b" * 40})]
    assert make_table(runs, strict=True).notes[0].startswith("made at commit bbbb")


def test_a_missed_gate_is_noted(make):
    assert make_table([make(gate="failed")]).notes == ("missed its gate: run1",)


def test_a_metric_that_some_seeds_lack_counts_those_that_have_it(make):
    table = make_table([make(seed=0, metrics={"top1": 0.5}), make(seed=1)])
    assert cells(table, "top1") == [Statistic(0.5, None, 1)]


def test_a_setting_that_separates_rows_has_a_column(make):
    table = make_table([make(seed=0), make(seed=1)], group=["seed"])
    assert cells(table, "seed") == ["0", "1"]


def test_no_finished_run_is_a_table_without_rows():
    assert make_table([]).rows == ()


def test_a_thousand_records(make, tmp_path):
    """40 numbers of epochs x 5 widths x 5 seeds: every row has its own five, none is lost."""
    values = np.random.default_rng(0).uniform(0.1, 0.9, (40, 5, 5))
    for (epochs, place, seed), top1 in np.ndenumerate(values):
        record = make(
            (8, 6, 4, 3, 2)[place],
            8,
            seed=seed,
            protocol={"training.max_epochs": epochs},
            metrics={"top1": float(top1)},
        )
        (tmp_path / record.id).mkdir()
        (tmp_path / record.id / RECORD_NAME).write_text(json.dumps(record.to_dict()))
    records, problems = find_records([tmp_path])
    assert (len(records), problems) == (1000, [])
    table = make_table(records, ["weight_bits", "protocol.training.max_epochs", "top1"])
    assert (len(table.rows), table.notes) == (200, ())
    for width, epochs, cell in (row.cells for row in table.rows):
        own = values[int(epochs), ("8", "6", "4", "3", "2").index(width)]
        assert cell.mean == pytest.approx(own.mean())
        assert cell.std == pytest.approx(own.std(ddof=1))
        assert cell.n == 5


def test_a_table_loads_nothing_heavy():
    """scipy is imported only if rows are compared: imports would take most of the time."""
    code = (
        "import sys; from qat.tables.table import make_table; make_table([]); "
        "print(sorted({'scipy', 'torch', 'pandas', 'matplotlib', 'hydra'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
