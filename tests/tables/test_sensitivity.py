import pytest

from qat.records.metrics import MetricFormat
from qat.tables.errors import TableError
from qat.tables.render import render
from qat.tables.sensitivity import SensitivityCell, sensitivity_table

DROP = MetricFormat("accuracy drop", "points", 100)


def test_layer_by_bits():
    rows = [
        SensitivityCell("conv1", "weight", 4, 0.02),
        SensitivityCell("conv1", "weight", 8, 0.001),
        SensitivityCell("conv1", "act", 8, 0.0),
    ]
    text = render(sensitivity_table(rows, DROP))
    lines = [[c.strip() for c in line.strip("| ").split("|")] for line in text.splitlines()]
    assert lines[0] == ["layer", "slot", "8 bit", "4 bit"]
    assert lines[2] == ["conv1", "weight", "0.10", "2.00"]
    assert lines[3] == ["conv1", "act", "0.00", "–"]
    assert "cells: accuracy drop [points]" in text


def test_two_scores_or_none_are_refused():
    row = SensitivityCell("conv1", "weight", 4, 0.02)
    with pytest.raises(TableError, match="two scores at 4 bits"):
        sensitivity_table([row, row], DROP)
    with pytest.raises(TableError, match="compute it first"):
        sensitivity_table([], DROP)
