"""Numbers as a reader sees them."""

import pytest

from qat.records.metrics import METRICS
from qat.tables.numbers import number_text


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
