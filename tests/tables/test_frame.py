"""A table as a DataFrame: the values of its CSV form, with their kinds."""

import csv
import io

import pytest

from qat.tables.frame import table_frame
from qat.tables.layout import table_spec
from qat.tables.render import to_csv
from qat.tables.table import table_from


@pytest.mark.parametrize(
    "layout",
    [
        {"columns": ["mode", "weight_bits", "top1", "packed_bytes"]},
        {"layout": "pact"},
        {
            "columns": ["weight_bits", "top1"],
            "baseline": {"weight_bits": "8"},
            "compare": ["top1"],
        },
    ],
    ids=["flat", "pivot", "differences"],
)
def test_every_value_is_that_of_the_csv_form(make, layout):
    tops = {(8, 0): 0.9, (8, 1): 0.89, (4, 0): 0.8, (4, 1): 0.81}
    runs = [make(bits, bits, seed, metrics={"top1": top1}) for (bits, seed), top1 in tops.items()]
    table = table_from(runs, table_spec(layout))
    frame = table_frame(table)
    rows = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert frame.columns.tolist() == list(rows[0])
    for name in frame.columns[:-3]:
        for value, row in zip(frame[name], rows, strict=True):
            text = row[name]
            assert str(value) == text or float(value) == float(text or "nan") or text == ""
    assert [" ".join(map(str, seeds)) for seeds in frame.seeds] == [row["seeds"] for row in rows]
    assert frame.attrs["footer"] == list(table.footer)


def test_kinds_of_columns(make):
    runs = [make(8, metrics={"top1": 0.9}), make(4, metrics={})]
    frame = table_frame(table_from(runs, table_spec({"columns": ["weight_bits", "mode", "top1"]})))
    kinds = frame.dtypes.astype(str)
    assert (
        kinds.to_dict()
        | {
            "weight_bits": "Int64",
            "top1_mean": "float64",
            "top1_n": "int64",
        }
        == kinds.to_dict()
    )
    assert frame.top1_mean.isna().sum() == 1
