"""Ranges of numeric keys, in words and as sets of numbers."""

import math

import pytest

from qat.config.checks.key_ranges import WIDTH, Range, check_ranges, number, range_of, shown
from qat.sensitivity.widths import WIDTHS


@pytest.mark.parametrize(
    ("allowed", "text", "inside", "outside"),
    [
        (Range(1, 8), "1 to 8", [1, 8, 2.5], [0, 9, True, "2", None, math.nan, math.inf]),
        (Range(0, 1, above=True), "above 0, at most 1", [1e-9, 1], [0, 1.1]),
        (Range(0, 1, below=True), "0 or more, below 1", [0, 0.5], [1, -1e-9]),
        (Range(2, 8, also=(32,), note=", or 32 for off"), "2 to 8, or 32 for off", [32], [16]),
        (Range(0, 1e30), "0 to 1e+30", [1e30], [1e31]),
    ],
)
def test_a_range_in_words_and_numbers(allowed, text, inside, outside):
    assert str(allowed) == text
    assert all(value in allowed for value in inside)
    assert not any(value in allowed for value in outside)


def test_candidate_widths_are_those_of_sensitivity():
    assert {width for width in range(64) if width in WIDTH} == set(WIDTHS)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"seed": -1}, "seed must be 0 to 9223372036854775807, got -1"),
        ({"data.augment.pad": 1025}, r"data\.augment\.pad must be 0 to 1024, got 1025"),
        ({"sensitivity.widths": [2, 9]}, r"sensitivity\.widths must be 2 to 8, 16 .*got 9"),
        ({"optimizer.lr": math.nan}, r"optimizer\.lr must be above 0, at most 100, got nan"),
        (
            {"memory.budget": 0},
            r"memory\.budget must be 1048576 to \d+ bytes, got 0",
        ),
        ({"data.path": " "}, r"data\.path is empty: give data\.path=VALUE"),
        ({"model.target": "a\tb"}, r"model\.target contains a control character"),
    ],
)
def test_a_value_outside_is_refused_by_its_key(config, keys, message):
    check_ranges(config())
    with pytest.raises(ValueError, match=message):
        check_ranges(config(keys))


def test_ranges_by_key():
    assert range_of("sensitivity.widths") is range_of("allocate.default_bits") is WIDTH
    assert range_of("float.optimizer.lr") == range_of("optimizer.lr") == Range(0, 100, above=True)
    assert range_of("mode") is range_of("no.key") is range_of("seed.x") is None


def test_numbers_and_long_values():
    assert (number(10**6), number(0.001), number(1e30)) == ("1000000", "0.001", "1e+30")
    assert shown(10**99) == "1" + "0" * 39 + "... (100 characters)"
    assert (shown("a b"), shown(0.5)) == ("'a b'", "0.5")
