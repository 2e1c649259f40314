"""Block formats: examples by hand, a numpy reference, codes, axes."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.formats import MX_FORMATS
from qat.core.layout import Layout
from qat.core.minifloat import levels_of
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.quantizers.dynamic import is_dynamic
from qat.quantizers.mx import MXQuantizer
from qat.quantizers.registry import make_quantizer


def mx(name="mxfp4_e2m1"):
    return MXQuantizer(TensorSpec(format=name, signed=True), Layout())


def values(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * torch.exp(
        2 * torch.randn(shape, generator=generator)
    )


def by_search(row, name):
    """Each block of a row at the nearest value by distance, with saturation; ties are rare."""
    emax = MX_FORMATS[name].largest_exponent
    levels, result = levels_of(name).double().numpy(), []
    for start in range(0, len(row), 32):
        block = row[start : start + 32].astype(np.float64)
        scale = 2.0 ** (np.floor(np.log2(np.abs(block).max())) - emax)
        result.append(levels[np.abs(block[:, None] / scale - levels).argmin(axis=1)] * scale)
    return np.concatenate(result)


def test_forward_and_gradient_by_hand():
    row = torch.zeros(1, 33)
    row[0, :4] = torch.tensor([7.0, -2.6, 0.2, 0.3])  # X = 2^(2 - 2); 7 is beyond 6
    row[0, 32] = 0.3  # X = 2^(-2 - 2), 0.3 / X = 4.8
    x = row.requires_grad_()
    y = mx()(x)
    y.sum().backward()
    assert y[0, :4].tolist() == [6.0, -3.0, 0.0, 0.5]
    assert y[0, 32].item() == 0.25
    assert x.grad[0, :4].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert x.grad[0, 32].item() == 1.0


@pytest.mark.parametrize("name", MX_FORMATS)
class TestEachFormat:
    def test_equals_a_search_by_numpy(self, name):
        x = values(5, 70)
        expected = np.stack([by_search(row, name) for row in x.numpy()])
        assert np.array_equal(mx(name)(x).double().numpy(), expected)

    def test_codes_and_scales_decode_to_the_very_values(self, name):
        quantizer, x = mx(name), values(4, 40, 3, 3)
        codes, exponents = quantizer.encode_blocks(x)
        assert codes.shape == x.shape
        assert (exponents.shape, exponents.dtype) == ((4, 2, 3, 3), torch.uint8)
        assert 0 <= codes.min() <= codes.max() < 2 ** quantizer.code_range()[0]
        assert torch.equal(quantizer.decode_blocks(codes, exponents), quantizer(x))
        assert torch.equal(quantizer.encode(x), codes)

    def test_rounding_twice_is_rounding_once(self, name):
        once = mx(name)(values(3, 64))
        assert torch.equal(mx(name)(once), once)

    def test_the_memory_format_has_no_effect_and_stays(self, name):
        x = values(2, 64, 3, 3)
        other = mx(name)(x.contiguous(memory_format=torch.channels_last))
        assert torch.equal(other, mx(name)(x))
        assert other.is_contiguous(memory_format=torch.channels_last)


def test_each_place_of_an_image_has_its_own_block():
    x = values(2, 32, 4, 4)
    y = mx()(x)
    assert torch.equal(y[1, :, 2, 3], mx()(x[1, :, 2, 3][None])[0])


def test_blocks_of_a_linear_layer_run_along_its_features():
    net = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 4)).eval()
    spec = TensorSpec(format="mxfp4_e2m1")
    x = values(2, 5, 64)
    qnet = quantize(net, make_plan(net, Scheme(spec, spec, first_last="same"), x))
    assert torch.equal(qnet[0].input_quantizer(x)[1, 2], mx()(x[1, 2][None])[0])


def test_a_block_of_zeros_stays_zero_and_infinity_is_no_nan():
    assert mx()(torch.zeros(2, 40)).abs().sum() == 0
    assert not mx()(torch.tensor([[torch.inf, 1.0]])).isnan().any()
    assert mx()(torch.tensor([[torch.nan, 1.0]])).isnan().any()


def test_it_needs_no_calibration_and_refuses_nan_while_observing():
    quantizer = mx()
    assert is_dynamic(quantizer)
    assert quantizer.is_rounding
    quantizer.label = "conv1 input"
    quantizer.set_phase("observe")
    x = values(2, 8)
    assert quantizer(x) is x
    with pytest.raises(ValueError, match=r"conv1 input: .*NaN or infinity"):
        quantizer(torch.full((2, 8), torch.nan))
    with pytest.raises(ValueError, match="NaN has no code"):
        quantizer.encode(torch.tensor([[torch.nan]]))


def test_what_it_does_not_have():
    quantizer = mx()
    with pytest.raises(ValueError, match="mxfp4_e2m1 has no scale before it sees its input"):
        quantizer.qparams()
    with pytest.raises(ValueError, match="takes its scales from each input"):
        quantizer.set_qparams(torch.ones(1), torch.zeros(1))
    with pytest.raises(ValueError, match="need the scales of blocks"):
        quantizer.decode(torch.zeros(1, 1, dtype=torch.int32))


def test_the_registry_chooses_it_by_format_whatever_the_granularity():
    spec = TensorSpec(
        format="mxint8", signed=True, granularity="channel", quantizer=Method("minmax")
    )
    quantizer = make_quantizer(spec, Layout.of_weight("channel", (4, 40)))
    x = values(4, 40)
    assert torch.equal(quantizer(x), mx("mxint8")(x))


def test_compiled_equals_eager():
    x = values(4, 40)
    compiled = torch.compile(mx().quantize, backend="aot_eager", fullgraph=True)
    results = []
    for run in (mx().quantize, compiled):
        own = x.clone().requires_grad_()
        y = run(own)
        y.square().sum().backward()
        results.append((y, own.grad))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
