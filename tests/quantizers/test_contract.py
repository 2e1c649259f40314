"""What any quantizer owes its callers, whichever paper it comes from."""

import warnings

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import UncalibratedWarning
from qat.quantizers.registry import make_quantizer

SHAPE = (4, 6, 5, 5)


def spec(name, method=None, **settings):
    return TensorSpec(quantizer=method or Method(name), **{"bits": 4, "signed": True, **settings})


# One line a method: what it is asked for, and how its scales lie.
QUANTIZERS = [
    pytest.param(spec("minmax"), id="minmax"),
    pytest.param(spec("minmax", symmetric=False, signed=False), id="minmax-asymmetric"),
    pytest.param(spec("minmax", narrow=True, granularity="channel"), id="minmax-channel-narrow"),
    pytest.param(spec("minmax", granularity="group", group_size=2), id="minmax-group"),
    pytest.param(spec("minmax", scale="power_of_two"), id="minmax-power-of-two"),
    pytest.param(spec("minmax", observer=Method("percentile")), id="minmax-percentile"),
    pytest.param(spec("minmax", observer=Method("mse")), id="minmax-mse"),
    pytest.param(spec("lsq"), id="lsq"),
    pytest.param(spec("lsq", method=Method("lsq", options={"start": "paper"})), id="lsq-paper"),
    pytest.param(spec("lsq", granularity="channel"), id="lsq-channel"),
    pytest.param(spec("lsq", granularity="group", group_size=3), id="lsq-group"),
]
STATELESS = [
    pytest.param(spec("dynamic"), id="dynamic"),
    pytest.param(spec("dynamic", symmetric=False, signed=False), id="dynamic-asymmetric"),
]


def values(seed=0):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def fresh(spec):
    layout = Layout.of_weight(spec.granularity, SHAPE, spec.group_size)
    return make_quantizer(spec, layout).eval()


def calibrated(spec, x=None):
    quantizer = fresh(spec)
    quantizer.set_phase("observe")
    quantizer(values() if x is None else x)
    quantizer.set_phase("quantize")
    return quantizer


@pytest.mark.parametrize("spec", [*QUANTIZERS, *STATELESS])
class TestEveryQuantizer:
    @pytest.mark.parametrize("bits", [2, 3, 4, 8])
    def test_a_slice_has_no_more_levels_than_codes(self, spec, bits):
        quantizer = calibrated(spec.but(bits=bits))
        for row in quantizer.layout.sliced(quantizer(values(1))):
            assert row.unique().numel() <= 2**bits

    def test_keeps_order(self, spec):
        quantizer = calibrated(spec)
        for row, rounded in zip(
            quantizer.layout.sliced(values(1)),
            quantizer.layout.sliced(quantizer(values(1))),
            strict=True,
        ):
            assert bool((rounded[row.argsort()].diff() >= 0).all())

    def test_keeps_zero(self, spec):
        x = values()
        x[:, :, 0] = 0
        assert bool((calibrated(spec)(x)[:, :, 0] == 0).all())

    def test_off_is_the_very_input(self, spec):
        quantizer = calibrated(spec)
        quantizer.set_phase("off")
        x = values(1)
        assert quantizer(x) is x

    def test_observing_passes_values_through(self, spec):
        quantizer = fresh(spec)
        quantizer.set_phase("observe")
        x = values(1)
        assert quantizer(x) is x

    def test_an_unknown_phase_is_refused(self, spec):
        with pytest.raises(ValueError, match="phase must be one of observe, quantize, off"):
            fresh(spec).set_phase("train")

    def test_a_gradient_reaches_the_input_inside_the_range(self, spec):
        quantizer = calibrated(spec)
        x = (values() * 0.1).requires_grad_()
        quantizer(x).sum().backward()
        # A dynamic range ends at these very values, and a rounded zero point may move it a little.
        inner = x.abs() < 0.9 * x.abs().max()
        assert bool((x.grad[inner] == 1).all())

    def test_shape_and_dtype_stay(self, spec):
        quantizer = calibrated(spec)
        assert quantizer(values(1)).shape == SHAPE
        assert quantizer(values(1)).dtype == torch.float32


@pytest.mark.parametrize("spec", QUANTIZERS)
class TestEveryQuantizerWithARange:
    def test_codes_decode_to_the_very_values_of_training(self, spec):
        quantizer = calibrated(spec)
        for x in (values(1), values(2) * 10):
            assert torch.equal(quantizer.decode(quantizer.encode(x)), quantizer(x))

    def test_codes_are_of_the_grid(self, spec):
        quantizer = calibrated(spec)
        codes = quantizer.encode(values(1) * 100)
        assert quantizer.grid.qmin <= codes.min()
        assert codes.max() <= quantizer.grid.qmax

    def test_rounding_twice_is_rounding_once(self, spec):
        quantizer = calibrated(spec)
        once = quantizer(values(1))
        assert torch.equal(quantizer(once), once)

    def test_a_checkpoint_brings_all_of_it_back(self, spec):
        before, after = calibrated(spec), fresh(spec)
        after.load_state_dict(before.state_dict(), strict=True)
        assert torch.equal(after(values(1)), before(values(1)))

    def test_a_checkpoint_from_before_calibration_loads_too(self, spec):
        after = calibrated(spec)
        after.load_state_dict(fresh(spec).state_dict(), strict=True)
        with pytest.warns(UncalibratedWarning):
            after(values(1))

    def test_uncalibrated_it_warns_by_name_and_still_rounds(self, spec):
        quantizer = fresh(spec)
        quantizer.label = "fc input"
        x = values(1)
        with pytest.warns(UncalibratedWarning, match="fc input is used uncalibrated"):
            rounded = quantizer(x)
        assert not torch.equal(rounded, x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert torch.equal(quantizer(x), rounded)

    def test_a_range_that_was_set_is_a_calibration(self, spec):
        quantizer = fresh(spec)
        quantizer.set_range(-1.0, 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert quantizer(values(1)).abs().max() <= 2.01  # a power of two may double the step

    def test_all_of_its_state_follows_to_another_dtype(self, spec):
        quantizer = calibrated(spec).double()
        assert quantizer(values(1).double()).dtype == torch.float64

    def test_nan_is_refused_by_name_while_observing(self, spec):
        quantizer = fresh(spec)
        quantizer.label = "layer3.conv weight"
        quantizer.set_phase("observe")
        with pytest.raises(ValueError, match=r"layer3\.conv weight: .*NaN or infinity"):
            quantizer(torch.full(SHAPE, torch.nan))

    def test_qparams_have_the_shape_of_the_layout(self, spec):
        quantizer = calibrated(spec)
        found = quantizer.qparams()
        assert found.scale.shape == found.zero_point.shape == quantizer.layout.shape
        assert bool((found.scale > 0).all())
        if spec.symmetric:
            assert not found.zero_point.any()


def test_more_slices_round_no_worse():
    x = values() * torch.tensor([0.1, 1.0, 5.0, 20.0]).reshape(-1, 1, 1, 1)
    error = {}
    for granularity, size in (("tensor", None), ("channel", None), ("group", 2)):
        quantizer = calibrated(
            spec("minmax", granularity=granularity, group_size=size, observer=Method("mse")), x
        )
        error[granularity] = (quantizer(x) - x).square().sum()
    assert error["group"] <= error["channel"] <= error["tensor"]


def test_unsigned_codes_of_a_one_sided_tensor_are_worth_a_bit():
    """b unsigned bits equal b + 1 signed narrow ones at the same step."""
    x = values().relu()
    unsigned = fresh(spec("minmax", bits=4, signed=False))
    signed = fresh(spec("minmax", bits=5, signed=True, narrow=True))
    for quantizer in (unsigned, signed):
        quantizer.set_range(0.0, 3.0)
    assert torch.equal(unsigned(x), signed(x))
