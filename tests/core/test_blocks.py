"""Blocks of values with a shared power of two, by hand and against numpy."""

import numpy as np
import pytest
import torch

from qat.core.blocks import block_scales, from_e8m0, in_blocks, out_of_blocks, to_e8m0


@pytest.mark.parametrize(
    ("shape", "axis", "divided"),
    [
        ((2, 64), 1, (2, 2, 32)),
        ((2, 40, 3, 3), 1, (2, 2, 32, 3, 3)),
        ((2, 3, 5, 5), 1, (2, 1, 3, 5, 5)),
        ((2, 7, 33), -1, (2, 7, 2, 32)),
    ],
)
@pytest.mark.parametrize("permuted", [False, True])
def test_blocks_and_back(shape, axis, divided, permuted):
    x = torch.randn(shape)
    if permuted:
        x = x.movedim(1, -1).contiguous().movedim(-1, 1)
    blocks = in_blocks(x, axis)
    assert blocks.shape == divided
    assert torch.equal(out_of_blocks(blocks, axis, shape[axis]), x)


def test_values_of_a_block_follow_each_other():
    blocks = in_blocks(torch.arange(40.0)[None], 1)
    assert blocks[0, 0].tolist() == list(range(32))
    assert blocks[0, 1].tolist() == [*range(32, 40), *[0] * 24]


@pytest.mark.parametrize(
    ("name", "largest", "scale"),
    [
        ("mxfp4_e2m1", 6.0, 1.0),
        ("mxfp4_e2m1", 7.9, 1.0),
        ("mxfp4_e2m1", 8.0, 2.0),
        ("mxfp8_e4m3", 1.0, 2.0**-8),
        ("mxfp8_e5m2", 1.0, 2.0**-15),
        ("mxfp6_e2m3", 0.3, 2.0**-4),
        ("mxfp6_e3m2", 0.3, 2.0**-6),
        ("mxint8", 0.3, 0.25),
        ("mxint8", 0.0, 2.0**-126),
    ],
)
def test_the_scale_is_that_of_the_specification(name, largest, scale):
    blocks = torch.tensor([[[0.0, -largest, largest / 3]]])
    assert block_scales(blocks, 1, name).item() == scale
    if largest:
        emax = {"mxfp4_e2m1": 2, "mxfp8_e4m3": 8, "mxfp8_e5m2": 15}
        emax |= {"mxfp6_e2m3": 2, "mxfp6_e3m2": 4, "mxint8": 0}
        assert scale == 2.0 ** (np.floor(np.log2(largest)) - emax[name])


def test_scales_are_bytes():
    scales = torch.tensor([2.0**-126, 0.5, 1.0, 2.0**127])
    assert to_e8m0(scales).tolist() == [1, 126, 127, 254]
    assert to_e8m0(scales).dtype == torch.uint8
    assert torch.equal(from_e8m0(to_e8m0(scales)), scales)
    assert from_e8m0(torch.tensor([255], dtype=torch.uint8)).isnan().all()
