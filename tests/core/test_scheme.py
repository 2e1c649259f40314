"""Schemes: what a request cannot be, and what costs count of it."""

import pytest

from qat.core.scheme import Method, Scheme, TensorSpec


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bits": 0}, "bits must be 2 to 16, or 32 for off, got 0"),
        ({"bits": 1}, "or 32 for off, got 1; 1 bit needs the quantizer binary or sign"),
        ({"format": "fp8_e4m3", "signed": False}, "signed=false, but fp8_e4m3 has a sign bit"),
        ({"format": "mxint8", "symmetric": False}, "symmetric=false, but mxint8 has no zero"),
        ({"bits": 33}, "bits must be 2 to 16, or 32 for off, got 33"),
        ({"bits": 4.5}, r"bits must be of type int, got 4\.5"),
        ({"bits": True}, "bits must be of type int, got True"),
        ({"symmetric": "no"}, "symmetric must be of type bool, got 'no'"),
        ({"signed": 1}, "signed must be of type bool or null, got 1"),
        ({"quantizer": "lsq"}, "quantizer must be of type Method, got 'lsq'"),
        ({"granularity": "layer"}, "granularity must be one of tensor, channel, group"),
        (
            {"format": "int4"},
            "format must be one of int, fp16, fp8_e4m3, .*, mxint8, float, got 'int4'",
        ),
        ({"scale": "pow2"}, "scale must be one of free, power_of_two"),
        ({"granularity": "group"}, "granularity=group needs a group_size, and no other"),
        ({"group_size": 4}, "granularity=group needs a group_size, and no other"),
        ({"granularity": "group", "group_size": 0}, "group_size must be 1 or more, got 0"),
        ({"signed": False, "narrow": True}, "narrow=true needs signed codes"),
    ],
)
def test_a_spec_refuses_what_it_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        TensorSpec(**settings)


@pytest.mark.parametrize(
    ("spec", "off", "stored"),
    [
        (TensorSpec(bits=4), False, 4),
        (TensorSpec(bits=32), True, 32),
        (TensorSpec(format="float", bits=4), True, 32),
        (TensorSpec(format="fp16", bits=4), False, 16),
        (TensorSpec(format="fp6_e3m2"), False, 6),
        (TensorSpec(format="mxfp4_e2m1", bits=32), True, 32),
        (TensorSpec(bits=1, quantizer=Method("binary")), False, 1),
    ],
)
def test_bits_that_costs_count(spec, off, stored):
    assert (spec.is_off, spec.stored_bits) == (off, stored)


def test_codes_need_a_sign():
    with pytest.raises(ValueError, match="signed is not decided yet"):
        TensorSpec(bits=4).grid()
    assert TensorSpec(bits=4, signed=False).grid().qmax == 15


def test_a_target_goes_with_the_name_user_alone():
    with pytest.raises(ValueError, match="name=user needs a target, and no other name takes one"):
        Method("lsq", "my.module:Mine")
    with pytest.raises(ValueError, match="write name=user with target=package"):
        Method("user")


def test_a_scheme_refuses_groups_of_activations_and_unknown_policies():
    with pytest.raises(ValueError, match=r"scheme\.act\.granularity"):
        Scheme(act=TensorSpec(granularity="group", group_size=2))
    with pytest.raises(ValueError, match="first_last must be one of 8, float, fp16, same"):
        Scheme(first_last=6)


def test_a_copy_is_checked_like_the_original():
    spec = TensorSpec(bits=4, signed=True, narrow=True)
    assert spec.but(bits=3).grid().qmin == -3
    with pytest.raises(ValueError, match="narrow=true needs signed codes"):
        spec.but(signed=False)


def test_a_low_bit_format_has_its_own_width():
    spec = TensorSpec(format="mxfp4_e2m1", granularity="channel")
    assert (spec.bits, spec.is_block, spec.but(format="int").is_block) == (4, True, False)
    assert spec.but(format="fp8_e5m2", signed=True).grid().bits == 8


def test_one_bit_is_codes_0_and_1():
    spec = TensorSpec(bits=1, signed=True, quantizer=Method("sign"))
    assert (spec.grid().qmin, spec.grid().qmax) == (0, 1)
