"""Floats of few bits against torch's own, tables by hand and the nearest value by search."""

import numpy as np
import pytest
import torch

from qat.core.formats import LOW_BIT_FORMATS
from qat.core.minifloat import binade, codes_of, levels_of, rounded_to, values_of

TORCH = {"fp8_e4m3": torch.float8_e4m3fn, "fp8_e5m2": torch.float8_e5m2}
BY_HAND = {
    "fp4_e2m1": [0, 0.5, 1, 1.5, 2, 3, 4, 6],
    "fp6_e2m3": [
        *[0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875],
        *[1, 1.125, 1.25, 1.375, 1.5, 1.625, 1.75, 1.875],
        *[2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75],
        *[4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5],
    ],
    "fp6_e3m2": [
        *[0, 0.0625, 0.125, 0.1875],
        *[0.25, 0.3125, 0.375, 0.4375],
        *[0.5, 0.625, 0.75, 0.875],
        *[1, 1.25, 1.5, 1.75],
        *[2, 2.5, 3, 3.5],
        *[4, 5, 6, 7],
        *[8, 10, 12, 14],
        *[16, 20, 24, 28],
    ],
    "mxint8": [n / 64 for n in range(128)],
}


def spread(count=20_000):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, generator=generator)
    return x * torch.exp(4 * torch.randn(count, generator=generator))


@pytest.mark.parametrize("name", TORCH)
def test_all_codes_of_fp8_have_the_values_of_torch(name):
    codes = torch.arange(256)
    expected = codes.to(torch.uint8).view(TORCH[name]).float()
    assert torch.equal(values_of(codes, name).isnan(), expected.isnan())
    kept = ~expected.isnan()
    assert torch.equal(values_of(codes, name)[kept], expected[kept])
    finite = expected.isfinite()
    assert torch.equal(codes_of(expected[finite], name), codes[finite].int())


@pytest.mark.parametrize("name", TORCH)
def test_fp8_rounds_as_torch_does_and_saturates(name):
    x, largest = spread(), LOW_BIT_FORMATS[name].largest
    ties = levels_of(name)
    x = torch.cat([x, (ties[1:] + ties[:-1]) / 2, torch.tensor([1e30, -torch.inf, 0.0])])
    expected = x.clamp(-largest, largest).to(TORCH[name])
    rounded = rounded_to(x, name)
    assert torch.equal(rounded, expected.float())
    assert torch.equal(codes_of(rounded, name).to(torch.uint8), expected.view(torch.uint8))


@pytest.mark.parametrize("name", BY_HAND)
def test_tables_are_those_by_hand(name):
    positive = torch.tensor(BY_HAND[name])
    count = len(positive)
    assert torch.equal(values_of(torch.arange(count), name), positive)
    assert torch.equal(levels_of(name), torch.cat([-positive.flip(0), positive[1:]]))
    assert torch.equal(codes_of(positive, name), torch.arange(count, dtype=torch.int32))


def test_the_sign_is_the_first_bit_or_twos_complement():
    assert codes_of(torch.tensor([-0.5, -6.0]), "fp4_e2m1").tolist() == [0b1001, 0b1111]
    assert codes_of(torch.tensor([-1 / 64, -127 / 64]), "mxint8").tolist() == [0xFF, 0x81]
    assert values_of(torch.tensor([0xFF, 0x80]), "mxint8").tolist() == [-1 / 64, -2.0]


@pytest.mark.parametrize("name", LOW_BIT_FORMATS)
def test_the_nearest_value_by_search_and_the_even_one_in_a_tie(name):
    levels = levels_of(name).double().numpy()
    middles = (levels[1:] + levels[:-1]) / 2
    x = np.concatenate([spread(2000).double().numpy(), middles])
    distance = np.abs(x[:, None] - levels)
    nearest = np.isclose(distance, distance.min(axis=1, keepdims=True), rtol=0, atol=0)
    from_zero = np.abs(np.arange(len(levels)) - len(levels) // 2)  # its last bit is the mantissa's
    chosen = np.where(nearest, from_zero % 2, 2).argmin(axis=1)
    rounded = rounded_to(torch.from_numpy(x).float(), name)
    assert np.array_equal(rounded.double().numpy(), levels[chosen])


def test_ties_of_fp4_by_hand():
    ties = torch.tensor([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5.0, -2.5])
    assert rounded_to(ties, "fp4_e2m1").tolist() == [0, 1, 1, 2, 2, 4, 4, -2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_binades(dtype):
    x = torch.tensor([0.0, 0.75, 1.0, 1.999, 448.0], dtype=dtype)
    assert binade(x).tolist() == [0.0, 0.5, 1.0, 1.0, 256.0]


def test_nan_stays():
    assert rounded_to(torch.tensor([torch.nan]), "fp8_e4m3").isnan().all()
