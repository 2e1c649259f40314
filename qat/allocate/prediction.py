"""Did the prediction hold? Predicted against measured drop over random plans.

Rank correlations: an allocator needs the order of plans, not the size of their drops. Spearman's
rho is Pearson's correlation of ranks; Kendall's tau-b is the share of pairs in the right order
less that of pairs in the wrong one, ties taken out (scipy.stats). Intervals are by bootstrap over
plans, percentile method.
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
    """A correlation with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """How well a metric foretold what happened.

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

    Values that are all alike have no order: their correlation counts as 0.

    Args:
        predicted: Harm of each plan, see :meth:`qat.allocate.problem.Problem.harm`.
        measured: What each plan did, higher where it is worse.
        confidence: Level of the intervals.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Raises:
        ValueError: If the two are not of one length, of fewer than 5 plans, or not finite.
    """
    pairs = np.array([predicted, measured]) if len(predicted) == len(measured) else None
    if pairs is None or pairs.shape[1] < MIN_PLANS:
        raise InputError(
            f"predicted and measured must be of one length, {MIN_PLANS} or more plans, got "
            f"{len(predicted)} and {len(measured)}"
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
