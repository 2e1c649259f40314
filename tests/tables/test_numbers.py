"""Numbers as a reader sees them."""

import pytest

from qat.records.metrics import METRICS
from qat.tables.columns import Column
from qat.tables.numbers import cell_text, difference_text, number_text
from qat.tables.paired import PairedDifference
from qat.tables.statistics import Statistic


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        pytest.param("top1", 0.88125, "88.12", id="fraction as percent"),
        pytest.param("top1_drop", -0.00001, "0.00", id="no minus before nothing"),
        pytest.param("top1_drop", -0.0123, "-1.23", id="minus before something"),
        pytest.param("packed_bytes", 1536, "1.5", id="bytes as KiB"),
        pytest.param("bops", 40_813_184 * 16, "0.653", id="giga"),
    ],
)
def test_shown_values(name, value, shown):
    assert number_text(value, METRICS[name]) == shown


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        pytest.param(None, "–", id="nothing"),
        pytest.param(Statistic(0.9, None, 1), "90.00 (1)", id="one seed"),
        pytest.param(Statistic(0.9, 0.005, 3), "90.00 ± 0.50 (3)", id="three seeds"),
        pytest.param(PairedDifference(0.25, None, None, 1), "≈ +25.00 (1)", id="one pair"),
    ],
)
def test_cells(cell, shown):
    assert cell_text(cell, Column("top1", METRICS["top1"], "top-1 [%]"), counts=True) == shown


def test_a_difference_without_significance_is_marked():
    interval = PairedDifference(0.0, -0.01, 0.01, 5)
    assert difference_text(interval, METRICS["top1"]) == "≈ 0.00 [-1.00, 1.00]"
    assert difference_text(PairedDifference(0.1, 0.05, 0.15, 5), METRICS["top1"]) == (
        "+10.00 [5.00, 15.00]"
    )
