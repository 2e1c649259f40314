"""Paired differences, against scipy and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from qat.tables.best import not_told_apart
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
    assert not found.told_apart  # 2 - 2.484 < 0


def test_the_interval_is_scipys():
    generator = np.random.default_rng(0)
    a, b = generator.normal(1, 0.2, 8), generator.normal(0.5, 0.2, 8)
    found = paired_difference(dict(enumerate(a)), dict(enumerate(b)))
    low, high = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.told_apart


def test_only_common_seeds_are_pairs():
    found = paired_difference({0: 1.0, 1: 5.0, 2: 9.0}, {1: 4.0, 2: 7.0, 3: 0.0})
    assert (found.mean, found.n) == (1.5, 2)
    assert paired_difference({0: 1.0}, {1: 1.0}) is None


def test_equal_differences_are_a_point():
    found = paired_difference({0: 2.0, 1: 3.0, 2: 4.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    assert (found.low, found.high) == (1.0, 1.0)
    assert found.told_apart


def test_fewer_than_three_pairs_tell_nothing_apart():
    assert not paired_difference({0: 9.0, 1: 9.0}, {0: 1.0, 1: 1.0}).told_apart
    one = paired_difference({0: 9.0}, {0: 1.0})
    assert (one.low, one.high, one.told_apart) == (None, None, False)


NEAR = {0: 0.90, 1: 0.91, 2: 0.92}
NEARLY = {0: 0.901, 1: 0.909, 2: 0.9201}
FAR = {0: 0.50, 1: 0.51, 2: 0.52}


class TestBest:
    def test_all_that_are_not_told_apart_from_the_best(self):
        assert not_told_apart([FAR, NEAR, NEARLY], True) == {1, 2}

    def test_the_lowest_where_low_is_good(self):
        assert not_told_apart([FAR, NEAR, NEARLY], False) == {0}

    def test_rows_without_values_are_none(self):
        assert not_told_apart([None, NEAR, {}, FAR], True) == {1}
        assert not_told_apart([None, {}], True) == frozenset()

    def test_one_row_is_best_of_nothing(self):
        assert not_told_apart([NEAR], True) == frozenset()

    def test_without_common_seeds_only_equal_means_are_alike(self):
        other = {7: 0.90, 8: 0.91, 9: 0.92}
        assert not_told_apart([NEAR, other, {5: 0.2}], True) == {0, 1}
