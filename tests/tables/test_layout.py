"""Layouts from plain data."""

import pytest

from qat.tables.errors import TableError
from qat.tables.layout import LAYOUTS, table_spec
from qat.tables.table import table_from


def test_a_named_layout_keeps_what_is_not_changed():
    spec = table_spec({"layout": "pact", "values": "top5", "only": {"weight_bits": [8, 4]}})
    assert (spec.layout, spec.values) == ("pivot", ("top5",))
    assert spec.only == {"weight_bits": ("8", "4")}
    assert spec.rows == LAYOUTS["pact"].rows == ("model", "method", "mode")


def test_only_picks_runs(study):
    table = table_from(study, table_spec({"only": {"method": ["lsq"], "weight_bits": 4}}))
    assert [row.seeds for row in table.rows] == [(0, 1, 2)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"colums": ["run"]}, "no 'colums'.*did you mean 'columns'"),
        ({"layout": "pviot"}, "layout must be one of.*pviot"),
        ({"layout": "pivot", "rows": ["method"]}, "a pivot needs rows, columns"),
        ({"values": ["top1"]}, "belong to layout=pivot"),
        ({"compare": ["top1"]}, "go together"),
        ({"only": ["a"]}, "only must be a mapping"),
        ({"rows": {"a": 1}, "layout": "pact"}, "rows must be a name or a list"),
    ],
)
def test_a_wrong_layout_is_refused(settings, words):
    with pytest.raises(TableError, match=words):
        table_spec(settings)
