"""Number formats of a slot: each wrong combination is refused by its key, with a cure."""

import pytest

from qat.config.checks.combinations import check_config
from qat.config.checks.number_formats import NUMBER_FORMATS, check_format, check_one_bit
from qat.config.schema import RuleConfig, SlotConfig


def slot(**settings):
    return SlotConfig(**{"bits": 8, "quantizer": "minmax", "observer": "default", **settings})


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_each_format_goes_with_the_usual_width(name):
    check_format("scheme.weight", slot(format=name))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "fp8"}, r"scheme\.act\.format must be one of int, fp16, fp8_e4m3"),
        (
            {"format": "fp4_e2m1", "bits": 6},
            r"bits=6 is not the width of .*=fp4_e2m1: set scheme\.act\.bits=4, or",
        ),
        (
            {"format": "fp8_e5m2", "signed": False},
            r"scheme\.act\.signed=false, but fp8_e5m2 has a sign.*or scheme\.act\.format=int",
        ),
        ({"format": "mxint8", "symmetric": False}, "has no zero point: set symmetric=true"),
        ({"format": "mxint8", "narrow": True}, "set narrow=false"),
        (
            {"format": "mxint8", "observer": "mse"},
            r"would ignore observer@scheme\.act=mse: leave it out",
        ),
        ({"bits": 1}, r"scheme\.act\.bits must be 2 to 16, or 32 for off, got 1; 1 bit needs the"),
        ({"bits": 1, "quantizer": "lsq"}, r"binary \(weights\) or sign \(activations\)"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        check_format("scheme.act", slot(**settings))


def test_one_bit_is_for_the_methods_of_two_levels():
    check_one_bit("scheme.weight", 1, "binary")
    check_one_bit("scheme.weight", 2, "lsq")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"scheme.weight.format": "fp8_e4m3", "scheme.placement": "integer"},
            r"format=fp8_e4m3 has no scheme\.placement=integer, .*placement=academic",
        ),
        (
            {"scheme.weight.format": "fp8_e4m3", "scheme.weight.quantizer": "lsq"},
            r"scheme\.weight\.format=fp8_e4m3 \(lsq has format=int\): set scheme\.weight\.format=",
        ),
        (
            {"scheme.act.format": "mxfp4_e2m1", "mode": "dynamic"},
            r"mode=dynamic has integer activations.*set mode=static",
        ),
        ({"scheme.weight.quantizer": "binary"}, r"bits=8 \(binary has bits=1\): set"),
        (
            {
                "scheme.weight.quantizer": "ternary",
                "scheme.weight.bits": 2,
                "scheme.placement": "integer",
            },
            r"quantizer@scheme\.weight=ternary has no scheme\.placement=integer",
        ),
        (
            {"scheme.act.quantizer": "binary", "scheme.act.bits": 1},
            "binary does not quantize activations",
        ),
        (
            {"scheme.rules": [RuleConfig(match="fc", weight={"bits": 1})]},
            r"scheme\.rules\[0\]\.weight\.bits must be 2 to 16, .*got 1; 1 bit needs",
        ),
        (
            {"scheme.rules": [RuleConfig(match="fc", weight={"format": "fp4"})]},
            r"scheme\.rules\[0\]\.weight\.format must be one of int, .* 'fp4'",
        ),
    ],
)
def test_a_run_is_refused_before_anything_is_computed(config, keys, message):
    with pytest.raises(ValueError, match=message):
        check_config(config({"mode": "static", **keys}))


def test_what_fits_passes(config):
    formats = {"scheme.weight.format": "fp8_e4m3", "scheme.act.format": "mxfp6_e2m3"}
    check_config(config({"mode": "static", **formats}))
    bits = {"scheme.weight.quantizer": "binary", "scheme.weight.bits": 1}
    check_config(config({"mode": "qat", **bits}))
    rule = RuleConfig(match="fc", weight={"bits": 1, "quantizer": "binary"})
    check_config(config({"mode": "qat", "scheme.rules": [rule]}))
