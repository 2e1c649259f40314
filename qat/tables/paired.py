r"""Paired differences of two rows over their common seeds.

    d_i  = a_i - b_i                              for each seed i that both rows have
    mean = sum(d) / n,   std = sample standard deviation of d
    95 % interval: mean ± t(0.975, n - 1) * std / sqrt(n)

Student 1908. Runs of the same seed share their data, calibration images and shuffling, so that
pairing removes the effect of the seed. With fewer than three pairs no difference counts as
significant, whatever its interval: with one degree of freedom, t is 12.7 and proves little.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from qat.tables.statistics import statistic

MIN_PAIRS = 3
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of ``a - b`` over the common seeds, with its interval.

    Attributes:
        mean: Mean difference.
        low: Lower end of the 95 % interval; None for a single pair.
        high: Upper end; None for a single pair.
        n: Number of pairs.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def is_significant(self) -> bool:
        """True if there are three pairs or more and the interval does not contain 0."""
        if self.n < MIN_PAIRS or self.low is None or self.high is None:
            return False
        return not self.low <= 0 <= self.high


def paired_difference(a: Mapping[int, float], b: Mapping[int, float]) -> PairedDifference | None:
    """The paired difference of two rows; None if they have no common seed.

    Args:
        a: Seed → value of the first row.
        b: Seed → value of the second row, which is subtracted.

    Example:
        >>> paired_difference({0: 3.0, 1: 5.0}, {0: 1.0, 1: 2.0, 9: 7.0}).mean
        2.5
    """
    differences = statistic([a[seed] - b[seed] for seed in sorted(a.keys() & b.keys())])
    if differences is None:
        return None
    mean, std, n = differences.mean, differences.std, differences.n
    if std is None:
        return PairedDifference(mean, None, None, n)
    half = t_quantile(n - 1) * std / math.sqrt(n)
    return PairedDifference(mean, mean - half, mean + half, n)


def t_quantile(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t distribution with so many degrees of freedom.

    Example:
        >>> round(t_quantile(2), 4)
        4.3027
    """
    from scipy.special import stdtrit  # imported here: it takes 0.1 s, and few tables need it

    return float(stdtrit(degrees, (1 + CONFIDENCE) / 2))
