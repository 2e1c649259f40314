"""Bias correction: the mean errors, by hand and against scipy."""

import pytest
import torch
from scipy import integrate, stats
from torch import nn

from qat.layers.walk import twins
from qat.ptq.bias_correction import BiasCorrection, clipped_normal_mean, mean_error
from qat.ptq.layers import each_layer
from qat.ptq.request import requested_steps
from qat.ptq.sequence import change_float
from tests.ptq.networks import Residual, chain_net, quantized, seeded, work_of


def mean_errors(work):
    return {layer.name: mean_error(layer, work) for layer in each_layer(work)}


@pytest.mark.parametrize("placement", ["academic", "integer"])
@torch.no_grad()
def test_after_the_empirical_correction_no_channel_has_a_mean_error(placement):
    qnet = quantized(seeded(Residual), bits=3, placement=placement)
    work = work_of(qnet)
    before = mean_errors(work)
    assert all(float(error.abs().max()) > 1e-4 for error in before.values())
    BiasCorrection().change(work)
    after = mean_errors(work)
    # In integer, a bias has codes of its own, whose step limits the correction.
    steps = {n: t.bias_step() for n, t in twins(qnet)}
    limits = {n: 0.0 if step is None else float(step.max()) for n, step in steps.items()}
    assert all(float(error.abs().max()) <= 1e-6 + limits[n] for n, error in after.items())


@torch.no_grad()
def test_the_mean_error_by_hand():
    work = work_of(quantized(seeded(Residual), bits=3))
    (layer,) = [layer for layer in each_layer(work) if layer.name == "block.conv1"]
    y = nn.functional.conv2d(layer.inputs, layer.twin.quantized()[0], padding=1)
    expected = (y - layer.float_outputs).double().mean((0, 2, 3)).float()
    assert torch.allclose(mean_error(layer, work), expected, atol=1e-6)


@pytest.mark.parametrize("high", [6.0, float("inf")])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (2.0, 3.0), (-4.0, 0.5), (5.5, 2.0)])
def test_the_mean_of_a_clipped_normal_against_an_integral(mean, std, high):
    def integrand(z):
        return min(max(z, 0.0), high) * stats.norm.pdf(z, mean, std)

    points = [p for p in (0.0, high) if abs(p) < 40]
    expected, _ = integrate.quad(integrand, mean - 12 * std, mean + 12 * std, points=points)
    result = clipped_normal_mean(*(torch.tensor([v]) for v in (mean, std, high)))
    assert float(result) == pytest.approx(expected, abs=2e-6)


def test_a_channel_without_spread_has_its_clipped_mean():
    zero = torch.zeros(3)
    high = torch.full((3,), 6.0)
    result = clipped_normal_mean(torch.tensor([-1.0, 2.0, 9.0]), zero, high)
    assert result.tolist() == [0.0, 2.0, 6.0]


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
@pytest.mark.parametrize("placement", ["academic", "integer"])
@torch.no_grad()
def test_the_analytic_correction_by_hand(activation, placement):
    net = seeded(lambda: chain_net(activation))
    work = change_float(net, requested_steps(["fold"]))
    qnet = quantized(work.net, bits=3, placement=placement)
    named = dict(twins(qnet))
    before = {name: twin.bias.clone() for name, twin in named.items()}
    BiasCorrection("analytic").change(work_of(qnet, statistics=work.statistics))
    high = torch.full((6,), 6.0 if activation is nn.ReLU6 else float("inf"))
    for name, source in (("3", "1"), ("6", "4")):
        norm = net.get_submodule(source)
        expected = clipped_normal_mean(norm.bias, norm.weight.abs(), high)
        own = work.net.get_submodule(name)
        error = named[name].quantized()[0] - own.weight
        x = expected.reshape(1, 6, 1, 1).expand(1, 6, *own.kernel_size)
        shift = nn.functional.conv2d(x, error, groups=own.groups).flatten()
        assert torch.allclose(named[name].bias, before[name] - shift, atol=1e-5)
    # The image has no statistics, and a pool is between the last two layers.
    assert torch.equal(named["0"].bias, before["0"])
    assert torch.equal(named["11"].bias, before["11"])
