"""Moments of batches against those of numpy over all values."""

import numpy as np
import pytest
import torch

from qat.observers.moments import Moments, abs_sums
from tests.observers.ranges import normal


def added(*batches):
    moments = Moments(len(batches[0]))
    for x in batches:
        moments.add(x, (x.amin(dim=1), x.amax(dim=1)))
    return moments


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_moments_of_parts_are_those_of_the_whole(offset):
    x = normal(300_000, slices=2).relu() + offset
    parts, whole = added(*x.split([5, 199_995, 100_000], dim=1)), added(x)
    values = x.double().numpy()
    for moments in (parts, whole):
        assert moments.count == 300_000
        np.testing.assert_allclose(moments.mean, values.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(moments.variance(), values.var(axis=1), rtol=1e-9)
        np.testing.assert_allclose(moments.abs_total, np.abs(values).sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(moments.mean_square(), np.square(values).mean(axis=1), rtol=1e-9)
        assert moments.nonzero.tolist() == np.count_nonzero(values, axis=1).tolist()


def test_a_constant_has_no_spread():
    assert added(torch.full((1, 1000), 0.1)).variance().item() == pytest.approx(0, abs=1e-16)


def test_statistics_bring_the_moments_to_another():
    before, after = added(normal(1000)), Moments(1)
    after.load_statistics(before.statistics())
    assert torch.equal(after.variance(), before.variance())
    assert Moments(1).statistics() == {}


def test_a_spread_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing was observed"):
        Moments(1).variance()


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_of_magnitudes_by_hand(sign):
    x = sign * torch.tensor([[1.0, 2.0], [0.0, 4.0]])
    assert abs_sums(x, x.amin(dim=1)).tolist() == [3, 4]
