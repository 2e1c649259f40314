"""Durations in the unit that suits them."""

import pytest

from qat.base.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
        (86_400, "24.0 h"),
    ],
)
def test_the_unit_changes_at_90_seconds_and_90_minutes(seconds, text):
    assert duration(seconds) == text
