"""Bin regularization against sums by numpy."""

import numpy as np
import pytest
import torch

from qat.training.aids.bins import BinRegularization, bin_term
from tests.gpu.conftest import calibrated


def by_numpy(values, codes):
    total = 0.0
    for level in np.unique(codes):
        inside = values[codes == level]
        total += (inside.mean() - level) ** 2 + (inside.var() if len(inside) > 1 else 0.0)
    return total


def test_the_term_is_the_sum_over_bins():
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(5, 7, generator=generator, dtype=torch.float64) * 2
    codes = values.round().clamp(-2, 1)
    expected = by_numpy(values.numpy(), codes.numpy())
    assert float(bin_term(values, codes)) == pytest.approx(expected)


def test_a_bin_of_one_weight_has_no_variance():
    term = bin_term(torch.tensor([0.2]), torch.tensor([0.0]))
    assert term.item() == pytest.approx(0.04)


def test_weights_at_their_levels_cost_nothing():
    values = torch.tensor([-2.0, -2.0, 0.0, 1.0])
    assert float(bin_term(values, values)) == 0.0


def test_the_gradient_is_that_of_finite_differences():
    values = torch.tensor([0.1, -0.3, 0.8, 1.4], dtype=torch.float64, requires_grad=True)
    codes = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda v: bin_term(v, codes), values)


def test_all_layers_of_a_network_count():
    net, _ = calibrated("lsq")
    term = BinRegularization(2.0)(net, step=0, steps=1)
    term.backward()
    assert term.item() > 0
    assert all(bool(net.get_submodule(n).weight.grad.abs().sum() > 0) for n in ("0", "3", "7"))
