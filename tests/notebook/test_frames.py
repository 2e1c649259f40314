"""Rows of tensors become a DataFrame without losing their kinds."""

import math

import pandas as pd

from qat.analysis.rows import TensorRow
from qat.notebook.frames import tensor_frame


def test_absent_values_change_no_kind_and_infinity_stays():
    rows = [
        TensorRow("a", "weight", 40.5, bits=8, symmetric=True, granularity="channel", clipped=0.0),
        TensorRow("a", "output", math.inf, alone_db=30.25),
    ]
    frame = tensor_frame(rows)
    assert frame.bits.tolist() == [8, pd.NA]
    assert frame.symmetric.tolist() == [True, pd.NA]
    assert frame.sqnr_db.tolist() == [40.5, math.inf]
    assert frame.alone_db.isna().tolist() == [True, False]
    assert frame.granularity.tolist()[0] == "channel"
    assert frame.dtypes["clipped"] == "float64"


def test_no_rows_have_the_same_columns():
    assert (
        tensor_frame([]).columns.tolist()
        == tensor_frame([TensorRow("a", "act", 1.0)]).columns.tolist()
    )
