import math

import numpy as np
import pytest

from qat.allocate.threshold import threshold

OPTIONS = (2, 4, 8)


def test_above_the_line_most_bits_below_it_linear():
    scores = {"a": 0.0, "b": 1.0, "c": 2.0, "d": 3.0, "e": 4.0, "f": 100.0}
    line = np.percentile(list(scores.values()), 80)  # 4: e lies on it, f above
    assert line == 4
    assert threshold(scores, OPTIONS, 80, 8) == {
        "a": 2,  # 0 of 4
        "b": 2,  # a quarter: floor(0.25 x 2) = 0
        "c": 4,  # a half: floor(0.5 x 2) = 1
        "d": 4,
        "e": 8,  # floor(1 x 2) = 2
        "f": 8,
    }


@pytest.mark.parametrize("value", [0.0, 0.7, -0.2, math.inf])
def test_scores_that_tell_nothing_give_the_default(value):
    assert threshold(dict.fromkeys("abc", value), OPTIONS, 75, 4) == {"a": 4, "b": 4, "c": 4}


def test_negative_scores_count_as_zero():
    found = threshold({"a": -5.0, "b": 0.0, "c": 1.0, "d": 4.0}, OPTIONS, 70, 8)
    assert found["a"] == found["b"] == 2
    assert found["d"] == 8


def test_a_line_at_the_least_divides_the_rest_from_the_few():
    found = threshold({"a": 0.0, "b": 0.0, "c": 0.0, "d": 5.0}, OPTIONS, 50, 4)
    assert found == {"a": 2, "b": 2, "c": 2, "d": 8}


def test_what_has_no_score_takes_the_default():
    found = threshold({"a": 0.0, "b": 1.0}, OPTIONS, 50, 6, keys=("a", "b", "new"))
    assert found == {"a": 2, "b": 8, "new": 6}


def test_an_infinite_score_takes_the_most():
    assert threshold({"a": 0.0, "b": 1.0, "c": math.inf}, OPTIONS, 100, 4)["c"] == 8


def test_every_percentile_keeps_the_order_of_the_scores():
    scores = {i: float(v) for i, v in enumerate(np.random.default_rng(0).exponential(1, 20))}
    ranked = sorted(scores, key=scores.__getitem__)
    for percentile in range(0, 101, 5):
        found = threshold(scores, (2, 3, 4, 6, 8), percentile, 4)
        widths = [found[key] for key in ranked]
        assert widths == sorted(widths)
        assert set(widths) <= {2, 3, 4, 6, 8}


@pytest.mark.parametrize(
    ("scores", "options", "percentile", "message"),
    [
        pytest.param({"a": 1.0}, (), 50, "no candidate widths", id="no options"),
        pytest.param({"a": 1.0}, (2, 9), 50, "got 9", id="unknown width"),
        pytest.param({"a": 1.0}, OPTIONS, 101, "percentile must be 0 to 100, got 101", id="101 %"),
        pytest.param({"a": math.nan}, OPTIONS, 50, "score of a is NaN", id="nan"),
    ],
)
def test_bad_input(scores, options, percentile, message):
    with pytest.raises(ValueError, match=message):
        threshold(scores, options, percentile, 8)
