"""Which rows are bold: by hand from three seeds each."""

from qat.tables.best import indistinguishable_from_best

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
