"""Rows of tensors survive their file, which is plain JSON."""

import json
import math

from qat.analysis.rows import TensorRow, rows_of, rows_to_json

ROWS = [
    TensorRow("conv", "weight", 31.5, bits=4, symmetric=True, granularity="tensor", step=0.25),
    TensorRow("conv", "output", math.inf),
]


def test_rows_survive_json_and_infinity_is_null():
    data = json.loads(rows_to_json(ROWS), parse_constant=lambda name: 1 / 0)
    assert [row["sqnr_db"] for row in data] == [31.5, None]
    assert data[0]["dead_channels"] is None
    assert rows_of(data) == ROWS


def test_a_key_of_a_later_version_is_ignored():
    assert rows_of([{"name": "fc", "slot": "act", "sqnr_db": 1.0, "later": 2}]) == [
        TensorRow("fc", "act", 1.0)
    ]
