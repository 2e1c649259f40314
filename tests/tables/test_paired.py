"""Paired differences, against scipy and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from qat.tables.paired import paired_difference, t_quantile


@pytest.mark.parametrize("degrees", [1, 2, 4, 30])
def test_the_quantile_is_students(degrees):
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees))


def test_an_interval_by_hand():
    # differences 1, 2, 3: mean 2, std 1, half = 4.302652730 * 1 / sqrt(3)
    found = paired_difference({0: 2.0, 1: 4.0, 2: 6.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    half = 4.302652729911275 / math.sqrt(3)
    assert (found.mean, found.n) == (2.0, 3)
    assert found.low == pytest.approx(2 - half)
    assert found.high == pytest.approx(2 + half)
    assert not found.is_significant  # 2 - 2.484 < 0


def test_the_interval_is_scipys():
    generator = np.random.default_rng(0)
    a, b = generator.normal(1, 0.2, 8), generator.normal(0.5, 0.2, 8)
    found = paired_difference(dict(enumerate(a)), dict(enumerate(b)))
    low, high = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.is_significant


def test_only_common_seeds_are_pairs():
    found = paired_difference({0: 1.0, 1: 5.0, 2: 9.0}, {1: 4.0, 2: 7.0, 3: 0.0})
    assert (found.mean, found.n) == (1.5, 2)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_equal_differences_are_a_point():
    found = paired_difference({0: 2.0, 1: 3.0, 2: 4.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    assert (found.low, found.high) == (1.0, 1.0)
    assert found.is_significant


def test_fewer_than_three_pairs_are_never_significant():
    assert not paired_difference({0: 9.0, 1: 9.0}, {0: 1.0, 1: 1.0}).is_significant
    one = paired_difference({0: 9.0}, {0: 1.0})
    assert (one.low, one.high, one.is_significant) == (None, None, False)
