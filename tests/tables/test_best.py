"""Which rows are bold: by hand from three seeds each."""

from qat.records.metrics import METRICS
from qat.tables.best import best_rows, indistinguishable_from_best
from tests.tables.conftest import planned, seeds

HIGH = {0: 0.90, 1: 0.91, 2: 0.92}
SIMILAR = {0: 0.901, 1: 0.909, 2: 0.9201}
LOW = {0: 0.50, 1: 0.51, 2: 0.52}


def test_all_without_a_significant_difference_to_the_best():
    assert indistinguishable_from_best([LOW, HIGH, SIMILAR], True) == {1, 2}


def test_the_lowest_mean_is_best_where_low_is_good():
    assert indistinguishable_from_best([LOW, HIGH, SIMILAR], False) == {0}


def test_rows_without_values_are_none():
    assert indistinguishable_from_best([None, HIGH, {}, LOW], True) == {1}
    assert indistinguishable_from_best([None, {}], True) == frozenset()


def test_one_row_is_best_of_nothing():
    assert indistinguishable_from_best([HIGH], True) == frozenset()


def test_without_common_seeds_only_equal_means_are_bold():
    other = {7: 0.90, 8: 0.91, 9: 0.92}
    assert indistinguishable_from_best([HIGH, other, {5: 0.2}], True) == {0, 1}


def test_with_fewer_than_three_common_seeds_only_the_best_is_bold():
    two, near = {0: 0.90, 1: 0.91}, {0: 0.899, 1: 0.909}
    assert indistinguishable_from_best([two, near, {0: 0.1}], True) == {0}


def test_a_float_row_decides_nothing_and_is_not_bold(make):
    """It has one run, so that no row differs significantly from it."""
    rows = [
        [make(mode="float", metrics={"top1": 0.95})],
        seeds(make, 0.9, plan=planned(8, quantizer="lsq")),
        seeds(make, 0.5, plan=planned(4, quantizer="lsq")),
    ]
    assert best_rows(rows, "top1", METRICS["top1"]) == {1}


def test_float_rows_alone_compete_with_each_other(make):
    rows = [[make(mode="float", metrics={"top1": top1})] for top1 in (0.8, 0.9, 0.9)]
    assert best_rows(rows, "top1", METRICS["top1"]) == {1, 2}  # one seed is not tested
    assert best_rows(rows[:1], "top1", METRICS["top1"]) == frozenset()
