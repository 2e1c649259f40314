import numpy as np
import pytest

from qat.allocate.prediction import agreement


def test_correlations_by_hand():
    # one pair of ten is in the wrong order: tau = (9 - 1) / 10; rho = 1 - 6 x 2 / (5 x 24)
    found = agreement([1, 2, 3, 4, 5], [10, 20, 40, 30, 50], resamples=50)
    assert found.kendall.value == pytest.approx(0.8)
    assert found.spearman.value == pytest.approx(0.9)
    assert found.plans == 5


def test_only_the_order_matters():
    drops = np.random.default_rng(0).exponential(1, 20)
    found = agreement(np.log(drops), drops, resamples=100)
    for estimate in (found.spearman, found.kendall):
        assert (estimate.value, estimate.low, estimate.high) == pytest.approx((1, 1, 1))


@pytest.mark.slow
def test_the_interval_covers_as_often_as_it_says():
    # two normal variables of correlation r have Kendall's tau = 2 / pi asin r
    tau, covered = 2 / np.pi * np.arcsin(0.6), 0
    for seed in range(30):
        random = np.random.default_rng(seed)
        first = random.normal(size=40)
        second = 0.6 * first + 0.8 * random.normal(size=40)
        kendall = agreement(first, second, resamples=100, seed=seed).kendall
        covered += kendall.low <= tau <= kendall.high
    assert 26 <= covered <= 30  # 28.5 expected


def test_drops_that_are_all_alike_are_not_foretold():
    found = agreement([1, 2, 3, 4, 5, 6], [0.1] * 6)
    assert (found.spearman.value, found.kendall.low, found.kendall.high) == (0, 0, 0)


def test_the_seed_decides():
    random = np.random.default_rng(1)
    pair = random.normal(size=12), random.normal(size=12)
    assert agreement(*pair, resamples=200) == agreement(*pair, resamples=200)
    assert agreement(*pair, resamples=200) != agreement(*pair, resamples=200, seed=1)


@pytest.mark.parametrize(
    ("predicted", "measured", "message"),
    [
        pytest.param([1, 2, 3, 4], [1, 2, 3, 4], "5 or more plans, got 4 and 4", id="few"),
        pytest.param([1] * 5, [1] * 6, "one length, 5 or more plans, got 5 and 6", id="lengths"),
        pytest.param([1, 2, 3, 4, float("nan")], [1] * 5, "NaN or infinity", id="nan"),
    ],
)
def test_bad_input(predicted, measured, message):
    with pytest.raises(ValueError, match=message):
        agreement(predicted, measured)
