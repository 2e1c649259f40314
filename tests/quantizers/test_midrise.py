"""Levels without zero, evenly around it."""

import numpy as np
import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import TensorSpec
from qat.quantizers.midrise import MidRiseQuantizer


class Largest(MidRiseQuantizer):
    def outer_level(self, rows):
        return rows.abs().amax(dim=1, keepdim=True)

    def quantize(self, x):
        rows = self.layout.sliced(x)
        self.follow(rows)
        return self.layout.unsliced(self.levels_of(self.codes(rows)), x)


def largest(bits=3, granularity="tensor", shape=(2, 8)):
    spec = TensorSpec(bits=bits, signed=True, granularity=granularity)
    return Largest(spec, Layout.of_weight(granularity, shape))


@pytest.mark.parametrize("bits", [2, 3, 8])
def test_levels_are_those_of_numpy(bits):
    quantizer = largest(bits).eval()
    quantizer.set_range(-0.5, 2.0)
    expected = np.linspace(-2, 2, 2**bits)
    np.testing.assert_allclose(quantizer.codebook().values[0].numpy(), expected, atol=1e-6)
    x = np.random.default_rng(0).normal(size=(2, 8)).astype(np.float32)
    nearest = expected[np.abs(x[..., None] - expected).argmin(-1)]
    np.testing.assert_allclose(quantizer(torch.from_numpy(x)).numpy(), nearest, atol=1e-6)


def test_codes_decode_to_the_rounded_values():
    quantizer = largest(4, "channel").train()
    x = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    quantizer.set_range(0.0, 1.0)
    y = quantizer(x)
    assert torch.equal(quantizer.decode(quantizer.encode(x)), y)
    assert quantizer.code_range() == (4, 0)


@pytest.mark.parametrize("ends", [(0.0, float("nan")), (2.0, 1.0)])
def test_a_range_that_is_none_is_refused(ends):
    with pytest.raises(ValueError, match="a range"):
        largest().set_range(*ends)


def test_nan_has_no_code():
    quantizer = largest()
    quantizer.set_range(-1.0, 1.0)
    with pytest.raises(ValueError, match="NaN has no code"):
        quantizer.encode(torch.full((2, 8), torch.nan))


def test_there_is_no_scale():
    with pytest.raises(ValueError, match="no integer zero point"):
        largest().qparams()
    with pytest.raises(ValueError, match="use set_range"):
        largest().set_qparams(torch.ones(1), torch.zeros(1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_levels_of_zeros_are_close_to_zero_in_every_dtype(dtype):
    quantizer = largest(8, "channel").to(dtype)
    quantizer.set_outer(torch.tensor([0.0, 1.0], dtype=dtype))
    assert 0 < quantizer.outer[0].item() <= torch.finfo(dtype).tiny * 255
    assert quantizer.level_scale().min() > 0
    assert quantizer.outer[1] == 1
