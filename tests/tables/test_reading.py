"""Lines that explain the cells, and when they are there."""

from qat.tables.cells import Row
from qat.tables.reading import UNTIMED, how_to_read
from qat.tables.render import render
from qat.tables.statistics import Statistic
from qat.tables.table import make_table
from tests.tables.conftest import seeds


def test_times_in_torch_are_no_result(make):
    torch_time = make(metrics={"top1": 0.5, "simulated_latency_ms": 1.0})
    table = make_table([torch_time])
    assert "simulated_latency_ms" not in [column.name for column in table.columns]
    assert UNTIMED in table.footer
    on_a_runtime = make(metrics={"top1": 0.5, "latency_ms": 1.0})
    table = make_table([torch_time, on_a_runtime])
    assert table.columns[-1].name == "latency_ms"
    assert UNTIMED not in table.footer


def test_the_usual_number_of_seeds_is_only_in_the_footer(make):
    runs = [*seeds(make, 0.8), make(2, metrics={"top1": 0.5})]
    text = render(make_table(runs, ["weight_bits", "top1"]))
    assert "80.10 ± 0.10 |" in text
    assert "50.00 (1)" in text
    assert "cells: mean ± standard deviation over 3 seeds; (n): n values instead" in text


def test_single_seeds_and_one_data_set_need_no_explanation(make):
    rows = [Row((Statistic(0.5, None, 1),)), Row(("text",))]
    assert list(how_to_read(rows, [make()])) == []
