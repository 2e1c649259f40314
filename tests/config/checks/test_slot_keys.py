"""Keys that a slot's methods read."""

import inspect
import re

import pytest

from qat.config.checks.slot_keys import OF_OBSERVER, OF_QUANTIZER, unread_of_slot
from qat.config.schema import SlotConfig
from qat.observers.registry import OBSERVERS
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
    ],
)
def test_a_key_that_is_not_read_has_a_reason_and_a_cure(name, slot, reason):
    text = unread_of_slot("scheme.act", name, slot)
    assert text is None if reason is None else re.search(reason, text)
