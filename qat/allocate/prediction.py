"""Whether the predicted harms of random plans agree with their measured accuracy drops.

The measures are rank correlations, since an allocator needs the order of plans and not the size of
their drops. Spearman's rho is Pearson's correlation of ranks. Kendall's tau-b is the share of pairs
of plans in the right order minus the share of pairs in the wrong order, with a correction for ties
(scipy.stats). Confidence intervals are by bootstrap over plans, percentile method.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from qat.base.errors import InputError

MIN_PLANS = 5


@dataclass(frozen=True)
class Estimate:
    """A correlation with its confidence interval.

    Attributes:
        value: The correlation, -1 to 1.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """How well a metric predicted the measured drops.

    Attributes:
        spearman: Rank correlation rho, -1 to 1.
        kendall: Rank correlation tau-b, -1 to 1.
        plans: Number of plans.
        confidence: Level of the intervals.
    """

    spearman: Estimate
    kendall: Estimate
    plans: int
    confidence: float


def agreement(
    predicted: Sequence[float],
    measured: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Rank correlations of predicted harms and measured drops.

    Values that are all equal have no order: their correlation counts as 0.

    Args:
        predicted: Harm of each plan, see :meth:`qat.allocate.problem.Problem.harm`.
        measured: Drop of each plan, higher is worse.
        confidence: Level of the intervals, such as 0.95.
        resamples: Number of resamples of the bootstrap.
        seed: Seed of the bootstrap.

    Raises:
        ValueError: If the two differ in length, have fewer than 5 plans, or are not finite.

    Example:
        >>> drops = agreement([1, 2, 3, 4, 5], [10, 20, 40, 30, 50], resamples=20)
        >>> round(drops.kendall.value, 3)  # one of ten pairs is in the wrong order
        0.8
    """
    pairs = np.array([predicted, measured]) if len(predicted) == len(measured) else None
    if pairs is None or pairs.shape[1] < MIN_PLANS:
        raise InputError(
            f"predicted and measured must be of one length, {MIN_PLANS} or more plans, got "
            f"{len(predicted)} and {len(measured)}: measure more plans"
        )
    if not np.isfinite(pairs).all():
        raise InputError("predicted or measured drops hold NaN or infinity: leave those plans out")

    def estimate(statistic: Callable[[Any, Any], Any]) -> Estimate:
        def ordered(first: Any, second: Any) -> float:
            constant = np.ptp(first) == 0 or np.ptp(second) == 0
            return 0.0 if constant else float(statistic(first, second).statistic)

        interval = stats.bootstrap(
            tuple(pairs),
            ordered,
            paired=True,
            vectorized=False,
            n_resamples=resamples,
            confidence_level=confidence,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
        return Estimate(ordered(*pairs), float(interval.low), float(interval.high))

    return Agreement(
        estimate(stats.spearmanr), estimate(stats.kendalltau), pairs.shape[1], confidence
    )
