"""Low-bit floats with a scale: range, rounding, gradient, codes."""

import pytest
import torch

from qat.core.formats import FLOAT_FORMATS
from qat.core.layout import Layout
from qat.core.minifloat import rounded_to
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.minifloat import MinifloatQuantizer
from qat.quantizers.registry import make_quantizer

SHAPE = (4, 6, 5, 5)


def minifloat(name="fp4_e2m1", layout=None, **settings):
    spec = TensorSpec(format=name, signed=True, **settings)
    return MinifloatQuantizer(spec, layout or Layout()).eval()


def values(seed=0):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def calibrated(name, granularity="tensor", **settings):
    layout = Layout.of_weight(granularity, SHAPE, settings.get("group_size"))
    quantizer = minifloat(name, layout, granularity=granularity, **settings)
    quantizer.set_phase("observe")
    quantizer(values())
    quantizer.set_phase("quantize")
    return quantizer


def test_forward_and_gradient_by_hand():
    quantizer = minifloat()
    quantizer.set_range(-3.0, 12.0)  # scale 12 / 6 = 2
    x = torch.tensor([0.4, 2.9, -7.1, 10.0, 12.0, 13.0, -99.0], requires_grad=True)
    y = quantizer(x)
    (y * torch.arange(1.0, 8.0)).sum().backward()
    assert y.tolist() == [0.0, 3.0, -8.0, 8.0, 12.0, 12.0, -12.0]
    assert x.grad.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0]


@pytest.mark.parametrize("name", FLOAT_FORMATS)
@pytest.mark.parametrize(
    ("granularity", "size"), [("tensor", None), ("channel", None), ("group", 3)]
)
def test_the_largest_magnitude_of_a_slice_is_the_largest_value(name, granularity, size):
    quantizer = calibrated(name, granularity, group_size=size)
    rows = quantizer.layout.sliced(values())
    scale = rows.abs().amax(dim=1, keepdim=True) / FLOAT_FORMATS[name].largest
    assert torch.equal(quantizer.scale.reshape(-1, 1), scale)
    expected = rounded_to(rows / scale, name) * scale
    assert torch.equal(quantizer.layout.sliced(quantizer(values())), expected)


@pytest.mark.parametrize("name", FLOAT_FORMATS)
@pytest.mark.parametrize("granularity", ["tensor", "channel"])
class TestContract:
    def test_codes_decode_to_the_very_values(self, name, granularity):
        quantizer = calibrated(name, granularity)
        for x in (values(1), values(2) * 10, values(3) * 1e-4):
            codes = quantizer.encode(x)
            assert torch.equal(quantizer.decode(codes), quantizer(x))
            assert codes.min() >= 0
            assert codes.max() < 2 ** quantizer.code_range()[0]

    def test_values_are_those_of_the_codebook(self, name, granularity):
        quantizer = calibrated(name, granularity)
        book = quantizer.codebook()
        assert book.values.shape[0] == quantizer.layout.slices
        assert book.bits == quantizer.spec.stored_bits == FLOAT_FORMATS[name].bits
        assert torch.equal(book.decode(book.encode(quantizer(values(1)))), quantizer(values(1)))

    def test_all_values_of_the_range_get_a_gradient(self, name, granularity):
        quantizer, x = calibrated(name, granularity), values().requires_grad_()
        quantizer(x).sum().backward()
        assert bool((x.grad == 1).all())

    def test_a_checkpoint_brings_all_of_it_back(self, name, granularity):
        before = calibrated(name, granularity)
        after = minifloat(name, before.layout, granularity=granularity)
        after.load_state_dict(before.state_dict(), strict=True)
        assert torch.equal(after(values(1)), before(values(1)))

    def test_the_memory_format_has_no_effect_and_stays(self, name, granularity):
        quantizer, x = calibrated(name, granularity), values(1)
        other = quantizer(x.contiguous(memory_format=torch.channels_last))
        assert torch.equal(other, quantizer(x))
        assert other.is_contiguous(memory_format=torch.channels_last)

    def test_state_follows_to_another_dtype(self, name, granularity):
        quantizer = calibrated(name, granularity).double()
        assert quantizer(values(1).double()).dtype == torch.float64


def test_power_of_two_scales_contain_the_range():
    quantizer = minifloat(scale="power_of_two")
    quantizer.set_range(-1.0, 13.0)  # 13 / 6 = 2.17
    assert quantizer.scale.item() == 4.0


def test_a_range_follows_training_as_that_of_min_max():
    layout = Layout.of_weight("channel", (1, 2))
    quantizer = minifloat(layout=layout, granularity="channel").train()
    quantizer(torch.tensor([[6.0, 1.0]]))
    assert quantizer.scale.item() == 1.0
    quantizer(torch.tensor([[3.0, 1.0]]))
    assert quantizer.scale.item() == 0.5


def test_a_channel_of_zeros_stays_zero():
    quantizer = minifloat()
    quantizer.set_range(0.0, 0.0)
    assert quantizer(torch.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_the_observer_of_the_spec_sets_the_range():
    quantizer = minifloat("fp8_e4m3", observer=Method("percentile"))
    quantizer.set_phase("observe")
    quantizer(torch.cat([torch.ones(100_000), torch.tensor([1e4])]))
    quantizer.set_phase("quantize")
    assert quantizer.scale.item() < 100 / 448  # that of the largest value is 1e4 / 448


def test_nan_is_refused_and_there_is_no_step():
    quantizer = minifloat()
    quantizer.set_range(-1.0, 1.0)
    with pytest.raises(ValueError, match="NaN has no code"):
        quantizer.encode(torch.tensor([torch.nan]))
    with pytest.raises(ValueError, match="fp4_e2m1 has no common step: use codebook"):
        quantizer.qparams()


def test_the_registry_chooses_it_by_format_and_refuses_other_methods():
    assert type(make_quantizer(TensorSpec(format="fp8_e5m2", signed=True), Layout())) is (
        MinifloatQuantizer
    )
    lsq = TensorSpec(format="fp8_e5m2", signed=True, quantizer=Method("lsq"))
    with pytest.raises(ValueError, match="lsq cannot have format=fp8_e5m2"):
        make_quantizer(lsq, Layout())


@pytest.mark.slow
def test_compiled_equals_eager():
    quantizer, x = calibrated("fp8_e4m3", "channel"), values(1)
    compiled = torch.compile(quantizer.quantize, backend="aot_eager", fullgraph=True)
    grads = []
    for run in (quantizer.quantize, compiled):
        own = (x * 2).requires_grad_()
        y = run(own)
        y.square().sum().backward()
        grads.append((y, own.grad))
    assert torch.equal(grads[0][0], grads[1][0])
    assert torch.equal(grads[0][1], grads[1][1])
