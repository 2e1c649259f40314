"""Distributions against their known moments."""

import math

import pytest
import torch

from qat.analysis.distributions import LAWS, OUTLIER_FACTOR, OUTLIER_SHARE, draw

COUNT = 200_000


def test_moments_of_the_laws():
    expected = {
        "gauss": (0, 1),
        "laplace": (0, math.sqrt(2)),
        "half_normal": (math.sqrt(2 / math.pi), math.sqrt(1 - 2 / math.pi)),
        "skewed": (1, math.sqrt(0.5)),
        "bimodal": (0.5, math.sqrt(2.25 + 0.09)),
        "outliers": (0, math.sqrt(1 + 1e-3 * (OUTLIER_FACTOR**2 - 1))),
    }
    assert expected.keys() == LAWS.keys()
    for name, (mean, std) in expected.items():
        values = draw(name, COUNT).double().numpy()
        assert values.mean() == pytest.approx(mean, abs=0.02), name
        assert values.std() == pytest.approx(std, rel=0.04), name
        assert torch.equal(draw(name, 50, seed=3), draw(name, 50, seed=3))
    with pytest.raises(KeyError, match="must be one of gauss"):
        draw("cauchy", 3)


def test_laws_of_one_sign_and_the_share_of_outliers():
    assert draw("half_normal", COUNT).min() >= 0
    assert draw("skewed", COUNT).min() > 0
    far = (draw("outliers", COUNT).abs() > 6).double().mean()
    beyond = math.erfc(6 / OUTLIER_FACTOR / math.sqrt(2))  # share of the outliers beyond 6
    assert float(far) == pytest.approx(OUTLIER_SHARE * beyond, rel=0.3)
