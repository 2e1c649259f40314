"""Mean and standard deviation of a metric over the seeds of a row.

mean = sum(x) / n
std  = sqrt(sum((x - mean)^2) / (n - 1))        sample standard deviation; undefined for n = 1
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statistic:
    """Mean, sample standard deviation (None for n = 1) and number of values."""

    mean: float
    std: float | None
    n: int


def statistic(values: Sequence[float]) -> Statistic | None:
    """Mean and standard deviation of the values; None if there are no values.

    If all values are equal, the mean keeps their type and every digit.

    Example:
        >>> statistic([1.0, 3.0])
        Statistic(mean=2.0, std=1.4142135623730951, n=2)
        >>> statistic([7])
        Statistic(mean=7, std=None, n=1)
    """
    if not values:
        return None
    mean = values[0] if len(set(values)) == 1 else statistics.fmean(values)
    std = statistics.stdev(values) if len(values) > 1 else None
    return Statistic(mean, std, len(values))
