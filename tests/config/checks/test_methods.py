"""Learned step sizes (LSQ) with settings that they cannot have."""

import pytest

from qat.config.checks.methods import check_methods

LSQ = {"mode": "static", "scheme.act.quantizer": "lsq"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"scheme.act.symmetric": False},
            r"set scheme\.act\.symmetric=true, or quantizer@",
        ),
        ({"scheme.act.scale": "power_of_two"}, r"set scheme\.act\.scale=free, or quantizer@"),
        (
            {"scheme.act.options": {"start": "paper"}, "scheme.act.observer": "mse"},
            r"would ignore the observer 'mse'; set scheme\.act\.options\.start=observer or",
        ),
    ],
)
def test_refused_where_lsq_is_used(config, keys, message):
    with pytest.raises(ValueError, match=message):
        check_methods(config(LSQ | keys))
    for unused in (
        {"scheme.act.quantizer": "minmax"},
        {"scheme.act.bits": 32},
        {"scheme.act.format": "fp16"},
        {"mode": "dynamic"},
        {"mode": "float"},
    ):
        check_methods(config(LSQ | keys | unused))


def test_observers_that_lsq_reads_are_allowed(config):
    check_methods(config(LSQ | {"scheme.act.options": {"start": "paper"}}))
    for start in ("auto", "observer"):
        keys = {"scheme.act.options": {"start": start}, "scheme.act.observer": "mse"}
        check_methods(config(LSQ | keys))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"scheme.weight.quantizer": "pact"},
            r"quantizer@scheme\.weight=pact: pact does not quantize weights",
        ),
        ({"scheme.act.quantizer": "sawb"}, "sawb does not quantize activations"),
        (
            {"scheme.weight.quantizer": "sawb", "scheme.weight.bits": 6},
            r"bits=6 \(sawb has bits=2 to 5 or 8\)",
        ),
        (
            {"scheme.weight.quantizer": "dorefa", "scheme.placement": "integer"},
            r"dorefa has no scheme\.placement=integer: set scheme\.placement=academic",
        ),
        (
            {"scheme.weight.quantizer": "dorefa", "scheme.weight.observer": "mse"},
            r"dorefa .*would ignore",
        ),
        (
            {"scheme.act.quantizer": "lsq_plus"},
            r"scheme\.act\.symmetric=true \(lsq_plus has symmetric=false\): set "
            r"scheme\.act\.symmetric=false",
        ),
        ({"scheme.act.quantizer": "tqt"}, r"scale=free .*set scheme\.act\.scale=power_of_two"),
    ],
)
def test_methods_are_refused_where_they_do_not_fit(config, keys, message):
    with pytest.raises(ValueError, match=message):
        check_methods(config({"mode": "qat", "scheme.weight.bits": 4} | keys))
