"""Keys that a slot's methods read."""

import inspect
import re

import pytest

from qat.config.checks.slot_keys import (
    OF_OBSERVER,
    OF_QUANTIZER,
    RANGES_OF_OBSERVER,
    check_observer_options,
    unread_of_slot,
)
from qat.config.schema import SlotConfig
from qat.core.scheme import Method
from qat.observers.registry import OBSERVERS, make_observer
from qat.quantizers.registry import QUANTIZERS


def test_options_of_methods_are_those_of_their_constructors():
    for known, table, own in (
        (OBSERVERS, OF_OBSERVER, {"slices"}),
        (QUANTIZERS, OF_QUANTIZER, {"spec", "layout"}),
    ):
        for name, method in known.items():
            options = set(inspect.signature(method).parameters) - own
            assert set(table.get(name, ())) == options, name


@pytest.mark.parametrize(
    ("name", "slot", "reason"),
    [
        ("bits", SlotConfig(), None),
        ("group_size", SlotConfig(granularity="group"), None),
        (
            "group_size",
            SlotConfig(),
            "granularity=tensor has no groups; add scheme.act.gran",
        ),
        ("options.start", SlotConfig(quantizer="lsq"), None),
        ("options.start", SlotConfig(quantizer="user"), None),
        ("options.start", SlotConfig(quantizer="minmax"), "take quantizer@scheme.act=lsq"),
        ("target", SlotConfig(quantizer="minmax"), "has no target; .* quantizer@scheme.act=user"),
        ("observer_options.momentum", SlotConfig(observer="mse"), "observer@scheme.act=ema"),
        ("options.dcay", SlotConfig(quantizer="pact"), "has no dcay; did you mean 'decay'"),
        ("granularity", SlotConfig(format="mxfp4_e2m1"), "has a scale for each block of values"),
        ("granularity", SlotConfig(format="fp4_e2m1"), None),
    ],
)
def test_a_key_that_is_not_read_has_a_reason_and_a_cure(name, slot, reason):
    text = unread_of_slot("scheme.act", name, slot)
    assert text is None if reason is None else re.search(reason, text)


@pytest.mark.parametrize(
    ("name", "options", "allowed"),
    [
        ("percentile", {"percentile": 0}, "percentile must be above 50, at most 100, got 0"),
        ("percentile", {"percentile": 101}, "percentile must be above 50, at most 100, got 101"),
        ("percentile", {"percentile": "high"}, "got high"),
        ("ema", {"momentum": 0}, "momentum must be above 0, at most 1, got 0"),
        ("std", {"k": -1}, "k must be above 0, at most 1000, got -1"),
    ],
)
def test_an_option_out_of_its_range_is_refused(name, options, allowed):
    with pytest.raises(ValueError, match=f"observer@scheme.act={name}: .*{allowed}"):
        check_observer_options("observer@scheme.act", Method(name, options=options))


def test_ranges_are_those_of_the_constructors():
    """The ends that are allowed are taken by the class, and what is below them is refused."""
    for name, ranges in RANGES_OF_OBSERVER.items():
        check_observer_options("observer@scheme.act", Method(name))
        for option, allowed in ranges.items():
            assert allowed.above
            make_observer(Method(name, options={option: allowed.high}), 1)
            with pytest.raises(ValueError, match=option):
                make_observer(Method(name, options={option: allowed.low}), 1)
