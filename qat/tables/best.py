"""Which rows are bold: the best mean, and all that are statistically indistinguishable from it."""

from collections.abc import Mapping, Sequence

from qat.records.metrics import MetricFormat
from qat.records.run_facts import run_facts
from qat.records.schema import RunRecord
from qat.tables.paired import MIN_PAIRS, paired_difference
from qat.tables.rows import values_by_seed
from qat.tables.statistics import statistic


def best_rows(
    rows: Sequence[Sequence[RunRecord]], name: str, metric: MetricFormat
) -> frozenset[int]:
    """Indices of the rows that are bold in a metric.

    Float rows do not compete with quantized ones: they are their reference, and a float network of
    one run differs significantly from nothing.

    Args:
        rows: Records of each row that may be compared.
        name: Name of the metric.
        metric: Says whether the largest value is the best; the smallest is only if it says so.
    """
    quantized = [not run_facts(records[0]).is_float for records in rows]
    competing = quantized if any(quantized) else [True] * len(rows)
    values = [
        values_by_seed(records, name) if competes else None
        for records, competes in zip(rows, competing, strict=True)
    ]
    return indistinguishable_from_best(values, metric.higher_is_better is not False)


def indistinguishable_from_best(
    rows: Sequence[Mapping[int, float] | None], higher_is_better: bool
) -> frozenset[int]:
    """Indices of the best row and of the rows that do not differ significantly from it.

    The test is :attr:`qat.tables.paired.PairedDifference.is_significant`. Rows without a value are
    left out; a single row has nothing to compare with, and the result is empty. A row that has
    fewer than three seeds in common with the best one cannot be tested: it is included only if the
    means are equal.

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
    if difference is None or difference.n < MIN_PAIRS:
        return means[index] == means[best]
    return not difference.is_significant
