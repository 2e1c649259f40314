"""Quantizers by format, by name, by target, and with options."""

import pytest
import torch
from torch import nn

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.declared import DECLARED
from qat.quantizers.registry import QUANTIZERS, make_quantizer


def quantizer(method, bits=8):
    return make_quantizer(TensorSpec(bits=bits, signed=True, quantizer=method), Layout())


@pytest.mark.parametrize("name", QUANTIZERS)
def test_each_name_has_a_class_of_that_name(name):
    expected = f"{name.replace('_', '')}quantizer"
    assert QUANTIZERS[name].__name__.lower() == expected
    declared = DECLARED[name]
    fields = {"symmetric": declared.symmetric[-1], "scale": declared.scales[0]}
    spec = TensorSpec(bits=declared.bits[-1], signed=True, quantizer=Method(name), **fields)
    assert isinstance(make_quantizer(spec, Layout()), QUANTIZERS[name])


def test_a_spec_that_is_off_has_the_identity_and_fp16_rounds_to_half_precision():
    assert type(make_quantizer(TensorSpec(bits=32), Layout())) is nn.Identity
    x = torch.randn(100)
    half = make_quantizer(TensorSpec(format="fp16"), Layout())(x)
    assert half.tolist() == x.numpy().astype("float16").tolist()


def test_options_reach_the_constructor():
    paper = quantizer(Method("lsq", options={"start": "paper"}))
    assert type(paper.observer).__name__ == "MeanAbsObserver"


def test_an_unknown_method_is_refused_with_the_list():
    with pytest.raises(KeyError, match="no quantizer 'pact2'; there are minmax, lsq"):
        quantizer(Method("pact2"))


def test_an_option_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="lsq has no option 'begin'; it takes start"):
        quantizer(Method("lsq", options={"begin": "mse"}))


def test_a_class_of_the_users_comes_in_by_target():
    method = Method("user", "qat.quantizers.minmax:MinMaxQuantizer")
    assert type(quantizer(method)).__name__ == "MinMaxQuantizer"
    with pytest.raises(ValueError, match="is not a subclass"):
        quantizer(Method("user", "fractions:Fraction"))
