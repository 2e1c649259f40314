"""What any quantizer owes its callers, whichever paper it comes from.

The cases come from what the methods declare: each slot, granularity, symmetry and some widths.
"""

import warnings
from dataclasses import dataclass

import pytest
import torch

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import UncalibratedWarning
from qat.quantizers.declared import CODEBOOK, DECLARED
from qat.quantizers.registry import make_quantizer

SHAPE = (4, 6, 5, 5)
SOME_BITS = (1, 2, 3, 4, 8)


@dataclass(frozen=True)
class Case:
    """A method in a slot."""

    spec: TensorSpec
    slot: str = "weight"

    @property
    def declared(self):
        return DECLARED[self.spec.quantizer.name]

    @property
    def layout(self):
        if self.slot == "act":
            return Layout.of_activation(self.spec.granularity, SHAPE[1])
        return Layout.of_weight(self.spec.granularity, SHAPE, self.spec.group_size)

    def __str__(self):
        spec, signs = self.spec, {True: "signed", False: "unsigned"}
        kind = "" if spec.symmetric else "-asymmetric"
        width = spec.format if spec.format != "int" else str(spec.bits)
        name = f"{spec.quantizer.name}-{self.slot}-{width}-{spec.granularity}{kind}"
        return f"{name}-{signs[spec.signed]}"


def spec(name, method=None, **settings):
    return TensorSpec(quantizer=method or Method(name), **{"bits": 4, "signed": True, **settings})


def formats(declared):
    """Format and bits of some cases."""
    for number_format in declared.formats:
        if number_format != "int":
            yield {"format": number_format, "bits": declared.bits[0]}
            continue
        for bits in SOME_BITS:
            if bits in declared.bits:
                yield {"bits": bits}


def cases(name):
    declared = DECLARED[name]
    for slot in declared.slots:
        granularities = [g for g in declared.granularities if slot == "weight" or g != "group"]
        signs = [s for s in declared.signed if s or slot == "act"]
        for granularity in granularities:
            size = {"group_size": 3 if granularity == "group" else None, "granularity": granularity}
            for symmetric in declared.symmetric:
                for signed in signs if symmetric else signs[:1]:
                    for form in formats(declared):
                        fields = {**size, **form, "symmetric": symmetric, "signed": signed}
                        yield Case(spec(name, scale=declared.scales[0], **fields), slot)


EXTRA = [
    spec("minmax", narrow=True, granularity="channel"),
    spec("minmax", scale="power_of_two"),
    spec("minmax", observer=Method("percentile")),
    spec("minmax", observer=Method("mse")),
    spec("lsq", method=Method("lsq", options={"start": "paper"})),
]
ALL = [case for name in DECLARED for case in cases(name)] + [Case(each) for each in EXTRA]
WITH_RANGE = [case for case in ALL if case.spec.quantizer.name != "dynamic"]


def parametrized(cases):
    """Cases of a few widths are quick; the others, which differ by a number alone, are slow."""
    return pytest.mark.parametrize(
        "case",
        [
            pytest.param(case, id=str(case), marks=[] if is_quick(case) else pytest.mark.slow)
            for case in cases
        ],
    )


def is_quick(case):
    """The narrowest width of a method, and 4 bits with one scale."""
    spec, narrowest = case.spec, min(b for b in SOME_BITS if b in case.declared.bits)
    return spec.bits == narrowest or (spec.bits == 4 and spec.granularity == "tensor")


every_case, every_case_with_a_range = parametrized(ALL), parametrized(WITH_RANGE)


def values(case=None, seed=0):
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))
    one_sided = case is not None and not case.spec.signed and case.spec.symmetric
    return x.relu() if one_sided else x


def fresh(case):
    return make_quantizer(case.spec, case.layout).eval()


def calibrated(case, x=None):
    quantizer = fresh(case)
    quantizer.set_phase("observe")
    quantizer(values(case) if x is None else x)
    quantizer.set_phase("quantize")
    return quantizer


@every_case
class TestEveryQuantizer:
    def test_a_slice_has_no_more_levels_than_codes(self, case):
        quantizer = calibrated(case)
        bits, _ = quantizer.code_range()
        assert bits <= case.spec.stored_bits
        for row in quantizer.layout.sliced(quantizer(values(case, 1))):
            assert row.unique().numel() <= 2**bits

    def test_keeps_order(self, case):
        quantizer, x = calibrated(case), values(case, 1)
        rows, rounded = (quantizer.layout.sliced(t.detach()) for t in (x, quantizer(x)))
        for row, after in zip(rows, rounded, strict=True):
            assert bool((after[row.argsort()].diff() >= 0).all())

    def test_keeps_zero_where_it_says_so(self, case):
        if not case.declared.keeps_zero:
            return
        x = values(case)
        x[:, :, 0] = 0
        assert bool((calibrated(case)(x)[:, :, 0] == 0).all())

    def test_off_is_the_very_input(self, case):
        quantizer, x = calibrated(case), values(case, 1)
        quantizer.set_phase("off")
        assert quantizer(x) is x

    def test_observing_passes_values_through(self, case):
        quantizer, x = fresh(case), values(case, 1)
        quantizer.set_phase("observe")
        assert quantizer(x) is x

    def test_an_unknown_phase_is_refused(self, case):
        with pytest.raises(ValueError, match="phase must be one of observe, quantize, off"):
            fresh(case).set_phase("train")

    def test_a_gradient_reaches_the_input_inside_the_range(self, case):
        quantizer = calibrated(case)
        x = (values(case) * 0.1).requires_grad_()
        quantizer(x).sum().backward()
        assert bool(x.grad.isfinite().all())
        assert bool((x.grad != 0).any())
        if case.declared.passes_gradient and not case.declared.ignores_observer:
            assert bool((x.grad[x != 0] == 1).all())

    def test_shape_and_dtype_stay(self, case):
        rounded = calibrated(case)(values(case, 1))
        assert rounded.shape == SHAPE
        assert rounded.dtype == torch.float32

    def test_two_of_it_round_alike(self, case):
        x = values(case, 1)
        assert torch.equal(calibrated(case)(x), calibrated(case)(x))

    def test_the_memory_format_has_no_effect_and_stays(self, case):
        quantizer, x = calibrated(case), values(case, 1)
        other = quantizer(x.contiguous(memory_format=torch.channels_last))
        assert torch.equal(other, quantizer(x))
        assert other.is_contiguous(memory_format=torch.channels_last)


@every_case_with_a_range
class TestEveryQuantizerWithARange:
    def test_codes_decode_to_the_very_values_of_training(self, case):
        quantizer = calibrated(case)
        for x in (values(case, 1), values(case, 2) * 10):
            assert torch.equal(quantizer.decode(quantizer.encode(x)), quantizer(x))

    def test_codes_are_within_their_range(self, case):
        quantizer = calibrated(case)
        codes = quantizer.encode(values(case, 1) * 100)
        bits, lowest = quantizer.code_range()
        assert lowest <= codes.min()
        assert codes.max() < lowest + 2**bits

    def test_rounding_twice_is_rounding_once(self, case):
        if not case.declared.keeps_levels:
            return
        quantizer = calibrated(case)
        once = quantizer(values(case, 1))
        assert torch.equal(quantizer(once), once)

    def test_a_checkpoint_brings_all_of_it_back(self, case):
        before, after = calibrated(case), fresh(case)
        after.load_state_dict(before.state_dict(), strict=True)
        assert torch.equal(after(values(case, 1)), before(values(case, 1)))

    def test_a_checkpoint_from_before_calibration_loads_too(self, case):
        if case.declared.ignores_observer:
            return
        after = calibrated(case)
        after.load_state_dict(fresh(case).state_dict(), strict=True)
        with pytest.warns(UncalibratedWarning):
            after(values(case, 1))

    def test_uncalibrated_it_warns_by_name_and_still_rounds(self, case):
        if case.declared.ignores_observer:
            return
        quantizer, x = fresh(case), values(case, 1)
        quantizer.label = "fc input"
        with pytest.warns(UncalibratedWarning, match="fc input is used uncalibrated"):
            rounded = quantizer(x)
        assert not torch.equal(rounded, x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert torch.equal(quantizer(x), rounded)

    def test_what_training_learns_gets_a_gradient(self, case):
        quantizer = calibrated(case).train()
        learned = {name: p for name, p in quantizer.named_parameters() if p.requires_grad}
        assert bool(learned) == bool(case.declared.learns)
        x, generator = (values(case, 1) * 3).requires_grad_(), torch.Generator().manual_seed(9)
        (quantizer(x) * torch.rand(SHAPE, generator=generator)).sum().backward()
        for name, parameter in learned.items():
            assert parameter.grad is not None, name
            assert bool(parameter.grad.isfinite().all()), name
            assert bool((parameter.grad != 0).any()), name

    def test_all_of_its_state_follows_to_another_dtype(self, case):
        if case.declared.levels_in(case.slot) == CODEBOOK:
            return  # a table of levels is float32
        quantizer = calibrated(case).double()
        assert quantizer(values(case, 1).double()).dtype == torch.float64

    def test_nan_is_refused_by_name_while_observing(self, case):
        quantizer = fresh(case)
        quantizer.label = "layer3.conv weight"
        quantizer.set_phase("observe")
        with pytest.raises(ValueError, match=r"layer3\.conv weight: .*NaN or infinity"):
            quantizer(torch.full(SHAPE, torch.nan))

    def test_nan_shows_and_nothing_comes_of_nothing(self, case):
        x = values(case, 1)
        x[1, 2, 3, 4] = torch.nan
        assert bool(calibrated(case)(x)[1, 2, 3, 4].isnan())
        if case.slot == "act":
            assert calibrated(case).train()(x[:0]).shape == (0, *SHAPE[1:])
        elif case.spec.granularity == "channel":
            weight = values(case)
            weight[0] = 0  # a dead channel
            assert calibrated(case, weight)(weight)[0].abs().max() < 1e-30

    def test_qparams_or_levels_have_the_shape_of_the_layout(self, case):
        quantizer = calibrated(case)
        book = quantizer.codebook()
        if case.declared.levels_in(case.slot) == CODEBOOK:
            assert book.values.shape[0] == quantizer.layout.slices
            return
        assert book is None
        qparams = quantizer.qparams()
        assert qparams.scale.shape == qparams.zero_point.shape == quantizer.layout.shape
        assert bool((qparams.scale > 0).all())
        if case.spec.symmetric:
            assert not qparams.zero_point.any()


@pytest.mark.parametrize("case", [Case(spec("minmax")), Case(spec("lsq"))], ids=str)
def test_a_range_that_was_set_is_a_calibration(case):
    quantizer = fresh(case)
    quantizer.set_range(-1.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quantizer(values(case, 1)).abs().max() <= 1.2


def test_more_slices_round_no_worse():
    x = values() * torch.tensor([0.1, 1.0, 5.0, 20.0]).reshape(-1, 1, 1, 1)
    error = {}
    for granularity, size in (("tensor", None), ("channel", None), ("group", 2)):
        settings = {"granularity": granularity, "group_size": size, "observer": Method("mse")}
        error[granularity] = (calibrated(Case(spec("minmax", **settings)), x)(x) - x).square().sum()
    assert error["group"] <= error["channel"] <= error["tensor"]


def test_unsigned_codes_of_a_one_sided_tensor_are_worth_a_bit():
    """b unsigned bits equal b + 1 signed narrow ones at the same step."""
    x = values().relu()
    unsigned = fresh(Case(spec("minmax", bits=4, signed=False)))
    signed = fresh(Case(spec("minmax", bits=5, signed=True, narrow=True)))
    for quantizer in (unsigned, signed):
        quantizer.set_range(0.0, 3.0)
    assert torch.equal(unsigned(x), signed(x))
