"""Columns by name."""

import pytest

from qat.tables.columns import (
    default_columns,
    differing_networks,
    make_column,
    metric_value,
    setting_text,
)
from qat.tables.errors import TableError
from qat.tables.statistics import Statistic
from qat.tables.table import make_table


def test_an_unknown_column_names_the_nearest(make):
    with pytest.raises(TableError, match="no column 'top_1'; nearest: top1"):
        make_table([make()], columns=["run", "top_1"])


def test_a_metric_of_ones_own_is_a_column(make):
    table = make_table([make(metrics={"latency_ms_b64": 2.5})], columns=["run", "latency_ms_b64"])
    assert [row.cells[1] for row in table.rows] == [Statistic(2.5, None, 1)]


def test_a_time_under_other_conditions_is_a_column_even_where_no_run_has_it(make):
    table = make_table([make(metrics={"top1": 0.5})], columns=["top1", "speedup_b64_t1"])
    assert table.rows[0].cells[1] is None
    assert make_column("latency_ms_b8", []).header == "latency_ms_b8"
    with pytest.raises(TableError, match=r"nearest: speedup, half_speedup, [a-z_]+; or a path"):
        make_column("speedup_b", [make(metrics={"speedup": 2.0})])


def test_headers_have_the_unit_and_values_follow_a_path(make):
    run = make(seconds={"training": 12.5}, study="it")
    assert make_column("seconds.training", [run]).header == "training [s]"
    assert metric_value(run, "seconds.training") == 12.5
    assert setting_text(run, "protocol.training.optimizer.lr") == "0.01"
    assert setting_text(run, "protocol.training.lr.deeper") is None
    assert (setting_text(run, "study"), setting_text(run, "act_symmetry")) == ("it", "symmetric")


def test_networks_show_only_where_they_differ(make):
    runs = [make(), make(protocol={"float.model": "resnet20"})]
    assert differing_networks(runs, ()) == ["model"]
    assert differing_networks(runs, ["model"]) == []
    assert default_columns(runs)[:2] == ["model", "run"]
