"""Clips of Laplace values: on grids of both signs, of one sign, and around a mean."""

import pytest
import torch
from torch.distributions import Laplace

from qat.core.grid import IntGrid
from qat.observers.aciq_laplace import ACIQLaplaceObserver

SIGNED, UNSIGNED = IntGrid(4, signed=True), IntGrid(4, signed=False)
FOUR_BITS, FIVE_BITS = 5.028640, 6.204766


def laplace(count, mean=0.0):
    share = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return Laplace(mean, 1.0).icdf(share).float()[None]


def range_of(x, grid, symmetric):
    observer = ACIQLaplaceObserver(1)
    observer.observe(x)
    low, high = observer.range(grid, symmetric=symmetric)
    return low.item(), high.item()


@pytest.mark.parametrize("count", [8001, 200_001])  # kept as values, and counted
def test_values_of_both_signs_are_clipped_around_zero(count):
    low, high = range_of(laplace(count) * 3, SIGNED, True)
    assert high == -low == pytest.approx(3 * FOUR_BITS, rel=0.01)


@pytest.mark.parametrize("count", [8001, 200_001])
def test_a_free_zero_point_clips_around_the_mean(count):
    low, high = range_of(laplace(count, mean=1.0), UNSIGNED, False)
    assert (low, high) == pytest.approx((1 - FOUR_BITS, 1 + FOUR_BITS), rel=0.01)


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_output_of_a_relu_has_the_clip_of_one_bit_more(symmetric):
    low, high = range_of(laplace(400_001).relu(), UNSIGNED, symmetric)
    assert low == 0
    assert high == pytest.approx(FIVE_BITS, rel=0.01)


def test_by_hand():
    """Mean magnitude 3, so a clip of 2.8307 * 3 at 2 bits; values up to 9."""
    x = torch.tensor([[-9.0, -1.0, 1.0, 1.0]])
    assert range_of(x, IntGrid(2, True), True)[1] == pytest.approx(3 * 2.830683, rel=1e-6)
