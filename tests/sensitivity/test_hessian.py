"""Hutchinson's estimate against the exact trace, and HAWQ-V2's weighting of it."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from qat.convert.rules import make_plan
from qat.core.scheme import Scheme, TensorSpec
from qat.sensitivity.hessian import HessianWarning, hessian_trace, hutchinson
from qat.sensitivity.measure import sensitivities
from qat.sensitivity.single_quantizer import fit_quantizers

ELEMENTS = {("0", "weight"): 48, ("2", "weight"): 32, ("0", "act"): 6, ("2", "act"): 8}


@pytest.fixture(scope="module")
def case():
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4)).eval()
    images = torch.randn(24, 6)
    labels = net(images).argmax(1)  # where the curvature is positive, as behind a training
    plan = make_plan(net, Scheme(weight=TensorSpec(granularity="channel")), images)
    batches = list(zip(images.split(10), labels.split(10), strict=True))
    return net, plan, batches, images, labels


def exact(net, images, labels, slot):
    layer, kind = slot
    if kind == "weight":
        name = f"{layer}.weight"

        def loss(weight):
            return F.cross_entropy(functional_call(net, {name: weight}, images), labels)

        found = torch.autograd.functional.hessian(loss, net.get_parameter(name).detach())
        size = net.get_parameter(name).numel()
        return float(found.reshape(size, size).trace())
    place = int(layer)
    inputs = net[:place](images).detach()
    traces = []
    for x, label in zip(inputs, labels, strict=True):

        def loss(x, label=label):
            return F.cross_entropy(net[place:](x), label)

        traces.append(float(torch.autograd.functional.hessian(loss, x).trace()))
    return np.mean(traces)


@pytest.mark.parametrize("slot", list(ELEMENTS), ids=lambda slot: "-".join(slot))
def test_the_trace_is_exact_within_the_tolerance(case, slot):
    net, plan, batches, images, labels = case
    fitted = fit_quantizers(net, plan, [4], [images])
    found = hessian_trace(fitted, slot, batches, tolerance=0.015, max_probes=20_000)
    expected = exact(net, images, labels, slot)
    assert found.trace == pytest.approx(expected, rel=0.05)
    assert abs(found.trace - expected) < 4 * found.standard_error
    assert found.standard_error <= 0.015 * abs(found.trace)
    assert (
        found.elements
        == {"0": {"weight": 48, "act": 6}, "2": {"weight": 32, "act": 8}}[slot[0]][slot[1]]
    )


def test_scores_are_the_mean_eigenvalue_times_the_squared_error(case):
    net, plan, batches, images, labels = case
    options = {"tolerance": 0.01, "max_probes": 20_000}
    table = sensitivities(
        net, plan, batches, ["hessian"], [4], calibration=[images], hessian=options
    )["hessian"]
    fitted = fit_quantizers(net, plan, [4], [images])
    weight, inputs = net[2].weight.detach(), net[:2](images).detach()
    errors = {
        "weight": fitted.quantizers["2", "weight", 4](weight) - weight,
        "act": (fitted.quantizers["2", "act", 4](inputs) - inputs) / 24**0.5,
    }
    for kind, elements in (("weight", 32), ("act", 8)):
        square = float(errors[kind].square().sum())
        expected = exact(net, images, labels, ("2", kind)) / elements * square
        assert table.scores["2", kind, 4] == pytest.approx(expected, rel=0.05)


def test_sampling_stops_at_the_tolerance():
    random = np.random.default_rng(0)
    mean, error, drawn = hutchinson(lambda _: random.normal(10, 5, 10), 0.05, 100_000)
    assert error <= 0.05 * mean
    assert drawn < 400  # (5 / 0.5)^2 = 100 expected
    assert mean == pytest.approx(10, abs=4 * error)


def test_a_trace_that_is_zero_needs_no_second_round():
    assert hutchinson(lambda _: np.zeros(10), 0.05, 100) == (0, 0, 10)


def test_what_does_not_converge_says_so(case):
    net, plan, batches, images, _ = case
    fitted = fit_quantizers(net, plan, [4], [images])
    with pytest.warns(
        HessianWarning, match=r"of 0 .weight. is .* after 10 vectors, .* 1e-06: allow"
    ):
        hessian_trace(fitted, ("0", "weight"), batches, tolerance=1e-6, max_probes=10)
    with pytest.raises(ValueError, match="tolerance must be above 0, got 0"):
        hessian_trace(fitted, ("0", "weight"), batches, tolerance=0)


def test_the_seed_decides(case):
    net, plan, batches, images, _ = case
    fitted = fit_quantizers(net, plan, [4], [images])
    traces = [
        hessian_trace(fitted, ("0", "weight"), batches, tolerance=0.2, seed=seed).trace
        for seed in (0, 0, 1)
    ]
    assert traces[0] == traces[1] != traces[2]
