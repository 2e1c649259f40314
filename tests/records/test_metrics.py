"""The vocabulary of metrics, and the numbers that a record takes."""

import math

import pytest

from qat.records.metrics import METRICS, MetricFormat, check_metrics


def test_a_number_is_shown_by_factor_and_decimals():
    fraction, bytes_ = METRICS["top1"], METRICS["packed_bytes"]
    assert f"{0.9 * fraction.factor:.{fraction.decimals}f} {fraction.unit}" == "90.00 %"
    assert f"{1536 * bytes_.factor:.{bytes_.decimals}f} {bytes_.unit}" == "1.5 KiB"
    assert MetricFormat("plain") == MetricFormat("plain", "", 1.0, 2, None)


@pytest.mark.parametrize(
    "value", [True, "0.9", None, math.nan, math.inf, 10**400], ids=lambda value: str(value)[:9]
)
def test_what_is_no_finite_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"^metric 'top1' (must be a float or an int|is )"):
        check_metrics({"macs": 3, "top1": value})


def test_whole_numbers_and_unknown_names_are_allowed():
    check_metrics({"macs": 2**40, "latency_ms_b64": 0.5})
