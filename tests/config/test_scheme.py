"""Schemes of configurations: what ``auto`` becomes, rules, and the dynamic mode."""

import pytest

from qat.config.schema import RuleConfig
from qat.config.scheme import build_scheme, settled_start
from qat.core.scheme import Method, TensorSpec


def test_a_slot_becomes_a_spec(config):
    scheme = build_scheme(
        config(
            {
                "scheme.weight.bits": 3,
                "scheme.weight.granularity": "group",
                "scheme.weight.group_size": 16,
                "scheme.weight.quantizer": "minmax",
                "scheme.weight.observer": "percentile",
                "scheme.weight.observer_options": {"percentile": 99.0},
                "scheme.placement": "integer",
            }
        )
    )
    assert scheme.weight == TensorSpec(
        bits=3,
        granularity="group",
        group_size=16,
        quantizer=Method("minmax"),
        observer=Method("percentile", options={"percentile": 99.0}),
    )
    assert (scheme.placement, scheme.first_last) == ("integer", 8)


@pytest.mark.parametrize(
    ("mode", "epochs", "observer", "start"),
    [
        ("static", 100, "default", "mse"),
        ("qat", 10, "default", "mse"),
        ("qat", 11, "default", "paper"),
        ("qat", 11, "minmax", "observer"),
    ],
)
def test_the_start_of_lsq(config, mode, epochs, observer, start):
    keys = {"mode": mode, "trainer.max_epochs": epochs, "scheme.act.observer": observer}
    run = config(keys | {"scheme.act.quantizer": "lsq"})
    assert settled_start(run, observer) == start
    assert build_scheme(run).act.quantizer.options["start"] == start
    run.scheme.act.options = {"start": "paper"}
    assert build_scheme(run).act.quantizer.options["start"] == "paper"


@pytest.mark.parametrize(
    ("name", "option"),
    [("pact", "start"), ("tqt", "start"), ("ewgs", "start"), ("dorefa", "clip")],
)
@pytest.mark.parametrize(("epochs", "value"), [(10, "mse"), (11, "paper")])
def test_auto_is_settled_for_every_method_that_has_it(config, name, option, epochs, value):
    keys = {"mode": "qat", "trainer.max_epochs": epochs, "scheme.act.quantizer": name}
    assert build_scheme(config(keys)).act.quantizer.options == {option: value}


def test_rules_name_methods_by_words_or_mappings(config):
    changes = {"bits": 4, "quantizer": "lsq", "observer": {"name": "mse", "options": {}}}
    rules = [RuleConfig(match="fc*", weight=changes), RuleConfig(match="stem", keep_float=True)]
    first, second = build_scheme(config({"scheme.rules": rules})).rules
    assert first.weight == {
        "bits": 4,
        "quantizer": Method("lsq", options={"start": "observer"}),
        "observer": Method("mse"),
    }
    assert (second.match, second.keep_float) == ("stem", True)
    rules = [RuleConfig(match="fc*", weight={"quantizer": {"title": "lsq"}})]
    with pytest.raises(ValueError, match=r"is a name, or a mapping with name.*'title'"):
        build_scheme(config({"scheme.rules": rules}))


def test_dynamic_activations_are_unsigned_and_asymmetric(config):
    act = build_scheme(config(mode="dynamic")).act
    assert (act.signed, act.symmetric, act.quantizer) == (False, False, Method("dynamic"))
    assert build_scheme(config({"mode": "dynamic", "scheme.act.bits": 32})).act.is_off
    with pytest.raises(ValueError, match=r"act\.bits=1: set scheme\.act\.bits=8, or mode=static"):
        build_scheme(
            config({"mode": "dynamic", "scheme.act.bits": 1, "scheme.act.quantizer": "sign"})
        )
    with pytest.raises(ValueError, match="must be tensor in mode=dynamic, got channel"):
        build_scheme(config({"mode": "dynamic", "scheme.act.granularity": "channel"}))
    with pytest.raises(ValueError, match=r"leave out scheme.act.signed"):
        build_scheme(config({"mode": "dynamic", "scheme.act.signed": True}))
