"""Which rows are bold: the best mean, and all that are statistically indistinguishable from it."""

from collections.abc import Mapping, Sequence

from qat.tables.paired import paired_difference
from qat.tables.statistics import statistic


def indistinguishable_from_best(
    rows: Sequence[Mapping[int, float] | None], higher_is_better: bool
) -> frozenset[int]:
    """Indices of the best row and of the rows that do not differ significantly from it.

    The test is :attr:`qat.tables.paired.PairedDifference.is_significant`. Rows without a value are
    left out; a single row has nothing to compare with, and the result is empty. A row that has no
    seed in common with the best one cannot be tested: it is included only if the means are equal.

    Args:
        rows: Seed → value for each row; None or empty for a row without the metric.
        higher_is_better: True if the largest mean is the best, false if the smallest is.

    Example:
        >>> high, similar = {0: 0.90, 1: 0.91, 2: 0.92}, {0: 0.901, 1: 0.909, 2: 0.9201}
        >>> low = {0: 0.50, 1: 0.51, 2: 0.52}
        >>> sorted(indistinguishable_from_best([high, low, similar], higher_is_better=True))
        [0, 2]
    """
    means = {i: s.mean for i, row in enumerate(rows) if row and (s := statistic([*row.values()]))}
    if len(means) < 2:
        return frozenset()
    best = (max if higher_is_better else min)(means, key=lambda index: means[index])
    return frozenset(i for i in means if i == best or _similar(rows[i], rows[best], means, i, best))


def _similar(
    row: Mapping[int, float] | None,
    best_row: Mapping[int, float] | None,
    means: Mapping[int, float],
    index: int,
    best: int,
) -> bool:
    difference = paired_difference(row or {}, best_row or {})
    if difference is None:
        return means[index] == means[best]
    return not difference.is_significant
