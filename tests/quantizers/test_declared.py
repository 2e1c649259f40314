"""What the built-in quantizers declare, against their constructors and papers' words."""

import inspect

import pytest

from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.declared import DECLARED, ranges, supporting, unsupported
from qat.quantizers.registry import QUANTIZERS, make_quantizer


@pytest.mark.parametrize("name", DECLARED)
def test_options_are_those_of_the_constructor(name):
    taken = set(inspect.signature(QUANTIZERS[name]).parameters) - {"spec", "layout"}
    assert set(DECLARED[name].options) == taken


@pytest.mark.parametrize("name", DECLARED)
def test_a_paper_is_named_and_what_training_learns(name):
    declared = DECLARED[name]
    assert declared.paper
    assert bool(declared.learns) == QUANTIZERS[name].learns


def test_what_is_not_supported_is_named_with_what_is():
    text = "scale=power_of_two (lsq has scale=free)"
    assert unsupported("lsq", TensorSpec(scale="power_of_two")) == text
    assert unsupported("lsq", TensorSpec(scale="power_of_two"), ("bits",)) is None
    assert unsupported("minmax", TensorSpec(scale="power_of_two")) is None
    assert unsupported("mine", TensorSpec(scale="power_of_two")) is None


def test_a_quantizer_is_not_created_for_what_it_does_not_support():
    spec = TensorSpec(signed=True, symmetric=False, quantizer=Method("lsq"))
    with pytest.raises(ValueError, match=r"lsq cannot have symmetric=false \(lsq has"):
        make_quantizer(spec, Layout())


def test_ranges_of_numbers_are_short():
    assert ranges((1,)) == "1"
    assert ranges((2, 3, 4, 8)) == "2 to 4 or 8"
    assert ranges((False, True)) == "false or true"


def test_supporting_leaves_out_what_no_user_chooses():
    assert "dynamic" not in supporting("act")
    assert {"minmax", "lsq"} <= set(supporting("weight", symmetric=True))
