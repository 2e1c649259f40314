r"""Paired differences of two rows over the seeds they share.

    d_i  = a_i - b_i                              for each seed i that both have
    mean = sum(d) / n,   std = sample standard deviation of d
    95 % interval: mean ± t(0.975, n - 1) * std / sqrt(n)

Student 1908. The runs of one seed share their data, their calibration images and their shuffling,
so that the pairs take out what the seed alone does. With fewer than three pairs nothing is told
apart, whatever the interval: one degree of freedom has a t of 12.7 and proves little.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from qat.tables.statistics import statistic

MIN_PAIRS = 3
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of ``a - b`` over common seeds, with its interval.

    Attributes:
        mean: Mean difference.
        low: Lower end of the 95 % interval; None at one pair.
        high: Upper end.
        n: Number of pairs.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def told_apart(self) -> bool:
        """True if there are three pairs or more and the interval does not hold 0."""
        if self.n < MIN_PAIRS or self.low is None or self.high is None:
            return False
        return not self.low <= 0 <= self.high


def paired_difference(a: Mapping[int, float], b: Mapping[int, float]) -> PairedDifference | None:
    """The paired difference of two rows; None if they share no seed.

    Args:
        a: Seed → value.
        b: Seed → value.

    Example:
        >>> paired_difference({0: 3.0, 1: 5.0}, {0: 1.0, 1: 2.0, 9: 7.0}).mean
        2.5
    """
    found = statistic([a[seed] - b[seed] for seed in sorted(a.keys() & b.keys())])
    if found is None:
        return None
    if found.std is None:
        return PairedDifference(found.mean, None, None, found.n)
    half = t_quantile(found.n - 1) * found.std / math.sqrt(found.n)
    return PairedDifference(found.mean, found.mean - half, found.mean + half, found.n)


def t_quantile(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t.

    Example:
        >>> round(t_quantile(2), 4)
        4.3027
    """
    from scipy.special import stdtrit  # 0.1 s to import, and few tables need it

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))
