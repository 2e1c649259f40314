"""Rows are held only against rows that were made alike."""

from qat.tables.layout import LAYOUTS, TableSpec, table_spec
from qat.tables.published import Published
from qat.tables.reading import BOLD, DATA_SETS, UNTIMED
from qat.tables.render import render
from qat.tables.table import make_table, table_from

BOLD_TOP1 = TableSpec(columns=("method", "mode", "top1"), bold=("top1",))


def seeds(make, top1, weight=4, method="lsq", **changes):
    """Three runs about one accuracy."""
    quantizer = {"quantizer": {"name": method, "target": None, "options": {}}}
    return [
        make(
            weight, weight, s, plan_changes=quantizer, metrics={"top1": top1 + s / 1000}, **changes
        )
        for s in range(3)
    ]


def bold_methods(table):
    place = [column.name for column in table.columns].index("method")
    return {row.cells[place] for row in table.rows if row.bold}


def test_a_longer_training_takes_no_bold_from_the_others(make):
    short = seeds(make, 0.7, method="pact") + seeds(make, 0.8, method="lsq")
    long = seeds(make, 0.9, method="dorefa", protocol={"training.epochs": 300})
    table = table_from(short + long, BOLD_TOP1)
    assert table.notes == ("training.epochs 300, others 3",)
    assert bold_methods(table) == {"lsq"}


def test_two_rows_of_the_longer_training_compete_with_each_other(make):
    runs = seeds(make, 0.6, 8, "pact") + seeds(make, 0.8, 8, "lsq") + seeds(make, 0.79, 3, "pact")
    long = {"training.epochs": 300}
    runs += seeds(make, 0.7, 4, "pact", protocol=long) + seeds(make, 0.9, 4, protocol=long)
    table = table_from(runs, TableSpec(columns=("weight_bits", "top1"), bold=("top1",)))
    best = {tuple(row.cells[:1]) for row in table.rows if row.bold}
    assert best == {("8",), ("4",)}


def test_in_a_pivot_too(make):
    runs = seeds(make, 0.8) + seeds(make, 0.7, method="pact")
    runs += seeds(make, 0.9, method="dorefa", protocol={"training.epochs": 300})
    text = render(table_from(runs, LAYOUTS["pact"]))
    assert "**80.10 ± 0.10**" in text
    assert "90.10 ± 0.10 [1]" in text
    assert text.count("**") == 2


def test_nothing_is_compared_across_data_sets(make):
    own = seeds(make, 0.8) + seeds(make, 0.7, method="pact")
    other = seeds(make, 0.9, protocol={"data.name": "cifar10", "training.epochs": 300})
    table = table_from(own + other, BOLD_TOP1)
    assert table.notes == ()
    assert table.columns[0].name == "data"
    assert [row.cells[0] for row in table.rows] == ["fashion_mini"] * 2 + ["cifar10"]
    assert [bool(row.bold) for row in table.rows] == [True, False, False]
    assert BOLD in table.footer
    assert DATA_SETS in table.footer


def test_a_pivot_keeps_networks_in_rows_of_their_own(make):
    runs = seeds(make, 0.8) + seeds(make, 0.7, weight=2, protocol={"data.name": "cifar10"})
    spec = table_spec(
        {"layout": "pivot", "rows": ["method"], "columns": ["weight_bits"], "values": ["top1"]}
    )
    table = table_from(runs, spec)
    assert [row.cells[0] for row in table.rows] == ["fashion_mini", "cifar10"]


def test_a_better_published_row_is_footed(make):
    better = Published({"method": "pact"}, "top1", 0.95, "A 2018, table 1", "110 epochs")
    runs = seeds(make, 0.8) + seeds(make, 0.7, method="pact")
    text = render(table_from(runs, BOLD_TOP1, [better]))
    assert "published: A 2018, table 1; made by a recipe of its own, never bold" in text
    assert "best of our own rows" in text


def test_times_in_torch_are_no_result(make):
    torch_time = make(metrics={"top1": 0.5, "simulated_latency_ms": 1.0})
    table = make_table([torch_time])
    assert "simulated_latency_ms" not in [column.name for column in table.columns]
    assert UNTIMED in table.footer
    on_a_runtime = make(metrics={"top1": 0.5, "latency_ms": 1.0})
    table = make_table([torch_time, on_a_runtime])
    assert table.columns[-1].name == "latency_ms"
    assert UNTIMED not in table.footer


def test_the_usual_number_of_seeds_is_said_once(make):
    runs = [*seeds(make, 0.8), make(2, metrics={"top1": 0.5})]
    text = render(make_table(runs, ["weight_bits", "top1"]))
    assert "80.10 ± 0.10 |" in text
    assert "50.00 (1)" in text
    assert "cells: mean ± standard deviation over 3 seeds; (n): over n instead" in text
