"""Number formats of few bits: limits of the specifications, and what a spec cannot have."""

import pytest

from qat.core.formats import FLOAT_FORMATS, LOW_BIT_FORMATS, MX_FORMATS, conflict, width_of

# OCP MX specification v1.0, table 1 and section 5.3: bits, largest value, emax, smallest step.
LIMITS = {
    "fp8_e4m3": (8, 448.0, 8, 2**-9),
    "fp8_e5m2": (8, 57344.0, 15, 2**-16),
    "fp6_e2m3": (6, 7.5, 2, 2**-3),
    "fp6_e3m2": (6, 28.0, 4, 2**-4),
    "fp4_e2m1": (4, 6.0, 2, 0.5),
    "mxint8": (8, 1.984375, 0, 2**-6),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_those_of_the_specification(name):
    form = LOW_BIT_FORMATS[name]
    own = form.bits, form.largest, form.largest_exponent, form.smallest_step
    assert own == LIMITS[name]
    assert width_of(name) == LIMITS[name][0]


def test_each_float_has_a_block_format_of_equal_elements():
    assert set(MX_FORMATS) == {f"mx{name}" for name in FLOAT_FORMATS} | {"mxint8"}
    assert all(MX_FORMATS[f"mx{name}"] == form for name, form in FLOAT_FORMATS.items())


def test_other_formats_have_no_width_of_their_own_or_16():
    assert (width_of("int"), width_of("float"), width_of("fp16")) == (None, None, 16)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"signed": False}, "signed=false, but mxint8 has a sign bit: set signed=true or null"),
        ({"symmetric": False}, "symmetric=false, but mxint8 has no zero point"),
        ({"narrow": True}, "narrow=true, but mxint8 is symmetric about zero as it is"),
    ],
)
def test_settings_of_integers_do_not_fit(settings, message):
    assert conflict("mxint8", **settings).startswith(message)
    assert conflict("int", **settings) is None
    assert conflict("mxint8", signed=True) is None
