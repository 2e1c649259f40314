"""Cells and headers as text: a table of two rows, by hand."""

from qat.records.metrics import METRICS
from qat.tables.cell_text import Shown, headings, shown_rows, spans
from qat.tables.cells import Row, Table
from qat.tables.columns import Column
from qat.tables.statistics import Statistic

COLUMNS = (
    Column("mode", None, "mode"),
    Column("top1@8", METRICS["top1"], "top-1 [%]", of="top1", over="W8"),
    Column("bops@8", METRICS["bops"], "BOPs [G]", of="bops", over="W8"),
    Column("top1@4", METRICS["top1"], "top-1 [%]", of="top1", over="W4"),
)
ROWS = (
    Row(("qat", Statistic(0.9, 0.01, 3), Statistic(1e9, 0.0, 3), None), (1,), bold=frozenset({1})),
    Row(("static", Statistic(0.8, None, 1), None, None), cell_marks={1: (2,)}),
)
TABLE = Table(COLUMNS, ROWS, ("one", "two"), ())


def test_upper_headers_span_adjacent_columns():
    assert headings(TABLE) == ["mode", "W8 top-1 [%]", "W8 BOPs [G]", "W4 top-1 [%]"]
    assert spans(TABLE) == [("W8", 1, 2), ("W4", 3, 3)]


def test_only_an_unusual_number_of_seeds_is_in_its_cell():
    assert shown_rows(TABLE) == [
        [
            Shown("qat", marks=(1,)),
            Shown("90.00 ± 1.00", bold=True),
            Shown("1.000 ± 0.000"),
            Shown("–"),
        ],
        [Shown("static"), Shown("80.00 (1)", marks=(2,)), Shown("–"), Shown("–")],
    ]
