"""Classes that break one requirement each; the check names that one."""

import re
import warnings

import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.base.requirements import RequirementError
from qat.quantizers.dynamic import DynamicQuantizer
from qat.quantizers.lsq import LSQQuantizer
from qat.quantizers.minmax import MinMaxQuantizer
from qat.quantizers.registry import QUANTIZERS
from qat.quantizers.requirements import REQUIREMENTS, check_quantizer

FEW = {"bits": [4], "granularities": ["tensor"]}


class TooManyLevels(MinMaxQuantizer):
    def quantize(self, x):
        return x + 0.0


class Mirrors(MinMaxQuantizer):
    def quantize(self, x):
        return super().quantize(-x)


class NoZero(MinMaxQuantizer):
    def quantize(self, x):
        own = self.qparams()
        return (torch.floor(x / own.scale) + 0.5).clamp(self.grid.qmin, self.grid.qmax) * own.scale


class Doubles(MinMaxQuantizer):
    def quantize(self, x):
        return super().quantize(x).double()


class ReadsMemory(MinMaxQuantizer):
    def quantize(self, x):
        return super().quantize(x) * (1.0 if x.is_contiguous() else 2.0)


class NeverOff(MinMaxQuantizer):
    def forward(self, x):
        return x * 1.5 if self.phase == "off" else super().forward(x)


class Draws(MinMaxQuantizer):
    def __init__(self, spec, layout):
        super().__init__(spec, layout)
        self.factor = 1 + torch.rand(())

    def quantize(self, x):
        return super().quantize(x / self.factor)


class OtherCodes(MinMaxQuantizer):
    def encode(self, x):
        return super().encode(1.1 * x)


class WideCodes(MinMaxQuantizer):
    def code_range(self):
        return self.grid.bits, self.grid.qmin + 1


class Forgets(MinMaxQuantizer):
    """Its offset is in no buffer."""

    offset = 0

    def set_range(self, rmin, rmax):
        super().set_range(rmin, rmax)
        self.offset = 1

    def quantize(self, x):
        return self.decode(self.encode(x))

    def encode(self, x):
        return (super().encode(x) + self.offset).clamp(max=self.grid.qmax)


class StartsSilently(MinMaxQuantizer):
    def _start_from(self, x):
        self.set_range(x.min(), x.max())


class LetsNaNThrough(MinMaxQuantizer):
    def observe(self, x):
        super().observe(x.nan_to_num())


class NoGradient(MinMaxQuantizer):
    def quantize(self, x):
        return super().quantize(x.detach()) + 0 * x


class LearnsNothing(MinMaxQuantizer):
    learns = True

    def __init__(self, spec, layout):
        super().__init__(spec, layout)
        self.unused = nn.Parameter(torch.ones(1))


class LearnsInSecret(LSQQuantizer):
    learns = False


class WrongShape(MinMaxQuantizer):
    def qparams(self):
        own = super().qparams()
        return type(own)(own.scale.reshape(1, 1), own.zero_point, own.grid, own.layout)


BROKEN = {
    "round each slice to at most 2^bits values": TooManyLevels,
    "keep the order of values": Mirrors,
    "round zero to zero": NoZero,
    "keep shape and dtype": Doubles,
    "round alike in both memory formats": ReadsMemory,
    "pass values unchanged in the phases off and observe": NeverOff,
    "round alike in two instances": Draws,
    "decode its codes to the values that it rounds to, bit for bit": OtherCodes,
    "keep its codes within code_range": WideCodes,
    "restore its whole state from a state dict": Forgets,
    "warn and round if it is used without calibration": StartsSilently,
    "refuse NaN while it observes": LetsNaNThrough,
    "pass a finite gradient to its input": NoGradient,
    "give each learned parameter a gradient, and set learns if it has one": LearnsNothing,
    "have a scale above 0 for each slice, and zero point 0 if symmetric": WrongShape,
}


def test_each_requirement_has_a_class_that_breaks_it():
    assert BROKEN.keys() == REQUIREMENTS.keys()


@pytest.mark.parametrize(("words", "quantizer"), BROKEN.items(), ids=list(BROKEN))
def test_a_broken_requirement_is_named(words, quantizer):
    case = f"{quantizer.__name__}, weight of 4 bits, signed, symmetric, per tensor"
    with pytest.raises(RequirementError, match=f"^{case}: it must {re.escape(words)}"):
        check_quantizer(quantizer, keeps_zero=quantizer is not Forgets, **FEW)


def test_a_parameter_that_is_not_declared_is_named():
    with pytest.raises(RequirementError, match="set learns if it has one"):
        check_quantizer(LearnsInSecret, slots=["weight"], **FEW)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("minmax", {}), ("lsq", {"slots": ["weight"]}), ("tqt", {"scale": "power_of_two"} | FEW)],
)
def test_methods_of_papers_meet_all(name, settings):
    report = check_quantizer(QUANTIZERS[name], **{"bits": [4]} | settings)
    assert report.requirements == tuple(REQUIREMENTS)
    assert report.method == QUANTIZERS[name].__name__


def test_what_a_class_refuses_is_listed_with_its_reason():
    target = "examples.own_method.own_method.quantizer:ShiftQuantizer"
    report = check_quantizer(target, bits=[8, 4])
    assert len(report.cases) == 12  # weights signed, inputs both; two granularities, two widths
    assert len(report.refused) == 8  # asymmetric
    assert all("set symmetric=true" in reason for reason in report.refused.values())


def test_one_without_state_and_one_without_zero():
    assert check_quantizer(DynamicQuantizer, slots=["act"], **FEW).cases
    report = check_quantizer(QUANTIZERS["dorefa"], slots=["weight"], keeps_zero=False, **FEW)
    assert "round zero to zero" not in report.requirements


def test_options_reach_the_class():
    with pytest.raises(RequirementError, match="start of lsq must be one of"):
        check_quantizer(LSQQuantizer, {"start": "anywhere"}, **FEW)


def test_what_is_no_quantizer_is_refused():
    with pytest.raises(InputError, match="is not a subclass of qat"):
        check_quantizer("fractions:Fraction")


def test_it_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_quantizer(MinMaxQuantizer, **FEW)
