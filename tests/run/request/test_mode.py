"""Which stages a run has."""

import pytest

from qat.run.request.mode import mode_of


@pytest.mark.parametrize(
    ("mode", "changes", "properties"),
    [
        ("float", {}, {"trains_float"}),
        ("dynamic", {}, {"quantizes", "is_dynamic", "trains_float"}),
        ("static", {}, {"quantizes", "is_static", "trains_float"}),
        ("static", {"model__checkpoint": "net.pt"}, {"quantizes", "is_static"}),
        (
            "static",
            {"scheme__placement": "integer"},
            {"quantizes", "is_static", "trains_float", "exports"},
        ),
        ("qat", {}, {"quantizes", "is_static", "trains", "trains_float"}),
        ("mixed", {}, {"quantizes", "is_static", "mixes", "trains_float"}),
        (
            "mixed",
            {"mixed__then": "qat"},
            {"quantizes", "is_static", "mixes", "trains", "trains_float"},
        ),
    ],
)
def test_a_mode_has_these_stages_and_no_others(make_config, mode, changes, properties):
    decided = mode_of(make_config(mode, **changes))
    names = ("quantizes", "is_dynamic", "is_static", "trains", "mixes", "trains_float", "exports")
    assert {name for name in names if getattr(decided, name)} == properties


@pytest.mark.parametrize(
    ("mode", "changes", "reason"),
    [
        ("static", {"export__onnx": "never"}, "export=none"),
        ("float", {}, "export=onnx measures it in a runtime"),
        ("static", {}, "needs scheme.placement=integer"),
        ("static", {"scheme__placement": "integer"}, None),
    ],
)
def test_a_run_without_an_exported_network_has_a_reason(make_config, mode, changes, reason):
    stated = mode_of(make_config(mode, **changes)).no_export_reason
    assert stated is reason or stated.startswith(reason)


def test_a_network_in_float16_is_half(make_config):
    half = {"scheme__weight__format": "fp16", "scheme__act__format": "fp16"}
    assert mode_of(make_config(**half, scheme__first_last="same")).is_half
    assert not mode_of(make_config(**half)).is_half  # the first and last layer have 8 bits
