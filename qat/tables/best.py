"""Which of several rows are the best: the best mean, and all that are not told apart from it."""

from collections.abc import Mapping, Sequence

from qat.tables.paired import paired_difference
from qat.tables.statistics import statistic


def not_told_apart(
    rows: Sequence[Mapping[int, float] | None], higher_is_better: bool
) -> frozenset[int]:
    """Indices of the best row and of those whose paired difference to it is not told from 0.

    Rows without a value are none of them; one row alone is best of nothing. A row that shares no
    seed with the best cannot be told apart from it by pairs, and counts as equal only if its mean
    is.

    Args:
        rows: Seed → value of each row; None or empty for a row without the metric.
        higher_is_better: Which end is best.
    """
    means = {i: s.mean for i, row in enumerate(rows) if row and (s := statistic([*row.values()]))}
    if len(means) < 2:
        return frozenset()
    best = (max if higher_is_better else min)(means, key=lambda index: means[index])
    return frozenset(i for i in means if i == best or _like(rows[i], rows[best], means, i, best))


def _like(
    row: Mapping[int, float] | None,
    best_row: Mapping[int, float] | None,
    means: Mapping[int, float],
    index: int,
    best: int,
) -> bool:
    difference = paired_difference(row or {}, best_row or {})
    if difference is None:
        return means[index] == means[best]
    return not difference.told_apart
