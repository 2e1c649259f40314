"""Clips of normal values: on grids of both signs, of one sign, and around a mean."""

import pytest
import torch

from qat.core.grid import IntGrid
from qat.observers.aciq_gauss import ACIQGaussObserver
from tests.observers.ranges import normal

SIGNED, UNSIGNED = IntGrid(4, signed=True), IntGrid(4, signed=False)
FOUR_BITS, FIVE_BITS = 2.559136, 2.936201


def range_of(x, grid, symmetric):
    observer = ACIQGaussObserver(1)
    observer.observe(x)
    low, high = observer.range(grid, symmetric=symmetric)
    return low.item(), high.item()


def test_values_of_both_signs_are_clipped_around_zero():
    low, high = range_of(normal(200_000) * 3, SIGNED, True)
    assert high == -low == pytest.approx(3 * FOUR_BITS, rel=0.01)


def test_a_free_zero_point_clips_around_the_mean():
    low, high = range_of(normal(200_000) + 1, UNSIGNED, False)
    assert (low, high) == pytest.approx((1 - FOUR_BITS, 1 + FOUR_BITS), rel=0.01)


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_output_of_a_relu_has_the_clip_of_one_bit_more(symmetric):
    """Its zeros do not count: the values other than 0 are one half of the input's."""
    low, high = range_of(normal(400_000).relu(), UNSIGNED, symmetric)
    assert low == 0
    assert high == pytest.approx(FIVE_BITS, rel=0.01)
    assert range_of(normal(400_000).abs(), UNSIGNED, symmetric)[1] == pytest.approx(high, rel=0.01)


def test_signed_codes_of_positive_values_waste_one_bit():
    assert range_of(normal(400_000).relu(), SIGNED, True)[1] == pytest.approx(FOUR_BITS, rel=0.01)


def test_negative_values_mirror_positive_ones():
    x = normal(20_000).relu()
    low, high = range_of(-x, UNSIGNED, False)
    assert (high, -low) == range_of(x, UNSIGNED, False)


def test_no_range_is_wider_than_the_values():
    """By hand: root mean square sqrt(5 / 2), times 2.56 it is 4.05, and the largest value is 2."""
    assert range_of(torch.tensor([[-1.0, 2.0]]), SIGNED, True) == (-2, 2)
