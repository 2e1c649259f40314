"""Rows are compared only with rows of the same protocol."""

from qat.tables.layout import LAYOUTS, TableSpec, table_spec
from qat.tables.published import Published
from qat.tables.reading import BOLD, DATA_SETS, FLOAT
from qat.tables.render import render
from qat.tables.table import table_from
from tests.tables.conftest import seeds

BOLD_TOP1 = TableSpec(columns=("method", "mode", "top1"), bold=("top1",))


def bold_methods(table):
    place = [column.name for column in table.columns].index("method")
    return {row.cells[place] for row in table.rows if row.bold}


def test_a_longer_training_takes_no_bold_from_the_others(make):
    short = seeds(make, 0.7, method="pact") + seeds(make, 0.8, method="lsq")
    long = seeds(make, 0.9, method="dorefa", protocol={"training.max_epochs": 300})
    table = table_from(short + long, BOLD_TOP1)
    assert table.notes == ("training.max_epochs 300, others 3",)
    assert bold_methods(table) == {"lsq"}


def test_two_rows_of_the_longer_training_compete_with_each_other(make):
    runs = seeds(make, 0.6, 8, "pact") + seeds(make, 0.8, 8, "lsq") + seeds(make, 0.79, 3, "pact")
    long = {"training.max_epochs": 300}
    runs += seeds(make, 0.7, 4, "pact", protocol=long) + seeds(make, 0.9, 4, protocol=long)
    table = table_from(runs, TableSpec(columns=("weight_bits", "top1"), bold=("top1",)))
    best = {tuple(row.cells[:1]) for row in table.rows if row.bold}
    assert best == {("8",), ("4",)}


def test_in_a_pivot_too(make):
    runs = seeds(make, 0.8) + seeds(make, 0.7, method="pact")
    runs += seeds(make, 0.9, method="dorefa", protocol={"training.max_epochs": 300})
    text = render(table_from(runs, LAYOUTS["pact"]))
    assert "**80.10 ± 0.10**" in text
    assert "90.10 ± 0.10 [1]" in text
    assert text.count("**") == 2


def test_nothing_is_compared_across_data_sets(make):
    own = seeds(make, 0.8) + seeds(make, 0.7, method="pact")
    other = seeds(make, 0.9, protocol={"data.name": "cifar10", "training.max_epochs": 300})
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
    assert "published: A 2018, table 1; trained with another recipe, never bold" in text
    assert "bold: the best result of our own rows" in text


def test_a_float_row_is_the_reference_of_bold_ones(make):
    runs = seeds(make, 0.8) + seeds(make, 0.7, method="pact")
    runs.append(make(mode="float", metrics={"top1": 0.9}))
    table = table_from(runs, BOLD_TOP1)
    assert bold_methods(table) == {"lsq"}
    assert FLOAT in table.footer
    pivot = table_from(runs, LAYOUTS["pact"])
    assert BOLD in pivot.footer
    assert FLOAT not in pivot.footer  # it has a column of its own
