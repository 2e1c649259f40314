"""Biases as 32-bit integers."""

import numpy as np
import pytest
import torch

from qat.layers.bias import (
    LIMIT,
    ROOM,
    bias_codes,
    bias_values,
    fake_round,
    least_weight_scale,
    saturated,
)


def test_codes_by_hand():
    codes = bias_codes(torch.tensor([0.25, -0.75, 1.0, 0.3]), torch.tensor([0.5]))
    assert codes.tolist() == [0, -2, 2, 1]  # ties to even
    assert codes.dtype == torch.int32


def test_each_channel_has_its_own_step():
    bias, step = torch.tensor([1.0, 1.0, -1.0]), torch.tensor([0.5, 0.25, 0.1])
    assert bias_codes(bias, step).tolist() == [2, 4, -10]
    assert bias_values(bias_codes(bias, step), step).tolist() == pytest.approx([1, 1, -1])


def test_codes_beyond_32_bits_saturate():
    codes = bias_codes(torch.tensor([1e9, -1e9]), torch.tensor([1e-3]))
    assert codes.tolist() == [LIMIT - 1, -LIMIT]


def test_a_quotient_of_single_floats_would_be_another_code():
    """Beyond 2^24 they have gaps."""
    bias, step = torch.tensor([0.3]), torch.tensor([1e-9])
    exact = round(float(np.float32(0.3)) / float(np.float32(1e-9)))
    assert bias_codes(bias, step).tolist() == [exact]
    assert round((bias / step).item()) != exact


def test_rounding_passes_its_gradient_on():
    bias = torch.tensor([0.3, -0.7], requires_grad=True)
    value = fake_round(bias, torch.tensor([0.5]))
    assert value.tolist() == [0.5, -0.5]
    (value * torch.tensor([2.0, 3.0])).sum().backward()
    assert bias.grad.tolist() == [2, 3]


def test_what_does_not_fit_is_counted():
    bias, step = torch.tensor([1.0, -3.0, 3.0, 0.0]), torch.tensor([1e-9])
    assert saturated(bias, step) == 2
    edge = torch.tensor([float(LIMIT)])
    assert [saturated(edge, torch.ones(1)), saturated(-edge, torch.ones(1))] == [1, 0]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_least_scale_gives_half_of_the_range(channels):
    bias, input_scale = torch.tensor([0.5, -2.0, 1e-3]), torch.tensor([[0.02]])
    least = least_weight_scale(bias, input_scale, torch.ones(channels, 1)).reshape(-1).double()
    by_hand = np.abs(bias.numpy().astype(np.float64)) / (np.float64(np.float32(0.02)) * ROOM)
    expected = by_hand if channels == 3 else [by_hand.max()]
    np.testing.assert_allclose(least.numpy(), expected, rtol=1e-6)
