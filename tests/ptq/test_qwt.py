import copy

import numpy as np
import pytest
import torch

from qat.ptq.qwt import OutputMoments
from qat.ptq.request import requested_steps
from qat.ptq.sequence import change_quantized
from tests.ptq.small_networks import Small, quantized, work_on


def test_moments_are_those_of_all_values():
    rng = np.random.default_rng(0)
    y, z = rng.normal(size=(2, 3, 20)) + 1000
    parts = [tuple(torch.from_numpy(v[:, s]) for v in (y, z)) for s in (slice(8), slice(8, 20))]
    own = OutputMoments.of(iter(parts))
    np.testing.assert_allclose(own.mean, y.mean(axis=1))
    np.testing.assert_allclose(own.float_mean, z.mean(axis=1))
    np.testing.assert_allclose(own.variance, y.var(axis=1), rtol=1e-9)
    expected = [np.cov(y[c], z[c], bias=True)[0, 1] for c in range(3)]
    np.testing.assert_allclose(own.covariance, expected, rtol=1e-9)


def compensated(granularity="channel", **changes):
    qnet, images = quantized(Small(), granularity=granularity, **changes)
    work = work_on(qnet, images)
    change_quantized(work, requested_steps(["nearest"]))
    before = copy.deepcopy(qnet)
    change_quantized(work, requested_steps(["qwt"]))
    return work, before, qnet


@torch.no_grad()
def outputs(work, before, qnet):
    x = torch.cat(list(work.batches))
    values = (before.a(x), work.float_net.a(x), qnet.a(x))
    return [v.movedim(1, 0).flatten(1).double().numpy() for v in values]


def test_factor_and_shift_are_those_of_least_squares():
    rounded, wanted, own = outputs(*compensated())
    for channel, y in enumerate(rounded):
        slope, shift = np.polyfit(y, wanted[channel], 1)
        np.testing.assert_allclose(own[channel], slope * y + shift, rtol=1e-3, atol=1e-4)


def test_one_scale_for_all_channels_has_one_factor():
    rounded, wanted, own = outputs(*compensated("tensor"))
    y = rounded - rounded.mean(axis=1, keepdims=True)
    z = wanted - wanted.mean(axis=1, keepdims=True)
    slope = (y * z).sum() / (y * y).sum()
    expected = slope * y + wanted.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-4)


def test_codes_stay():
    _, before, qnet = compensated()
    for name in ("a", "depthwise", "fc"):
        old, new = (net.get_submodule(name) for net in (before, qnet))
        codes = [each.weight_quantizer.encode(each.weight) for each in (old, new)]
        assert torch.equal(*codes)
        assert not torch.equal(
            old.weight_quantizer.qparams().scale, new.weight_quantizer.qparams().scale
        )


def test_scales_that_are_powers_of_two_stay():
    _, before, qnet = compensated(scale="power_of_two")
    scales = [net.a.weight_quantizer.qparams().scale for net in (before, qnet)]
    assert torch.equal(*scales)
    assert not torch.equal(before.a.bias, qnet.a.bias)


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_the_output_comes_nearer_to_that_of_the_float_network(granularity):
    rounded, wanted, own = outputs(*compensated(granularity))
    assert np.square(own - wanted).mean() < np.square(rounded - wanted).mean()
