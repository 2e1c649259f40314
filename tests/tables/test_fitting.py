"""Which columns a narrow page holds: widths by hand."""

import pytest

from qat.records.metrics import METRICS
from qat.tables.cells import Row, Table
from qat.tables.columns import Column
from qat.tables.fitting import column_width, fitted, left_out_words
from qat.tables.statistics import Statistic


def table(first="run"):
    """Columns of 3, 6, 6, 8 and 8 characters when headings are broken, 49 with the lines."""
    columns = (
        Column(first, None, "abc"),
        Column("mode", None, "mode"),  # the same throughout
        Column("method", None, "method"),
        Column("top1", METRICS["top1"], "accuracy [%]"),
        Column("bops", METRICS["bops"], "products [G]"),
    )
    cells = [("a", "static", "lsq"), ("b", "static", "minmax")]
    shares, products = [
        (Statistic(a, None, 1), Statistic(b, None, 1)) for a, b in [(0.5, 0.25), (1e9, 2e9)]
    ]
    rows = (Row((*each, *v)) for each, *v in zip(cells, shares, products, strict=True))
    return Table(columns, tuple(rows), (), ())


# 3 + 6 + 6 + 12 + 12 with headings in one line; 3 a column, 1 at the end
WHOLE = 39 + 5 * 3 + 1
BROKEN = 31 + 5 * 3 + 1


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        pytest.param(WHOLE, (0, 1, 2, 3, 4), id="whole"),
        pytest.param(BROKEN, (0, 1, 2, 3, 4), id="headings broken"),
        pytest.param(BROKEN - 1, (0, 2, 3, 4), id="the same throughout goes first"),
        pytest.param(BROKEN - 9 - 1, (0, 3, 4), id="then settings that the name tells"),
        pytest.param(BROKEN - 18 - 1, (0, 3), id="then metrics"),
        pytest.param(5, (0, 3), id="name and first metric stay"),
    ],
)
def test_columns_go_in_the_order_of_what_they_say(width, kept):
    found = fitted(table(), width)
    assert found.kept == kept
    assert sorted(found.kept + found.left_out) == [0, 1, 2, 3, 4]


def test_without_a_column_of_names_metrics_go_before_settings():
    assert fitted(table(first="model"), BROKEN - 9 - 1).kept == (0, 2, 3)


def test_headings_are_whole_where_there_is_room():
    assert fitted(table(), WHOLE).widths == (3, 6, 6, 12, 12)
    assert fitted(table(), WHOLE - 1).widths == (3, 6, 6, 8, 8)


def test_a_left_out_column_with_one_value_is_named_with_it():
    assert left_out_words(table(), (1, 2)) == "mode static, method"


def test_a_heading_is_broken_between_words_and_a_cell_is_not():
    assert column_width("packed size [KiB]", ["1131.7"]) == 6
    assert column_width("W [bit]", ["2 4 4 8"]) == 7
