"""Combinations of settings: each wrong one is refused by its key, each right one passes."""

import re

import pytest

from qat.config.checks.combinations import RULE_KEYS, check_config
from qat.config.schema import RuleConfig
from qat.core.scheme import TensorSpec


def rule(**settings):
    return {"scheme.rules": [RuleConfig(**{"match": "fc*", **settings})]}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"mode": "qta"}, "mode must be one of float, dynamic.*'qta'"),
        ({"model.target": "a:b"}, "model.target and model=user must be set together"),
        ({"model.checkpoint_key": "ema"}, "model.checkpoint_key=ema names a part"),
        ({"model.weights": "W", "model.checkpoint": "c.pt"}, "two float networks"),
        ({"data.name": "npz"}, "data.path has no value: data=npz needs data.path=FILE"),
        ({"data.name": "user"}, "data.target and data=user must be set together"),
        ({"data.mean": [0.5]}, "data.mean and data.std go together"),
        ({"data.mean": [0.5], "data.std": [1.0, 1.0]}, "data.mean has 1 channel, data.std 2"),
        ({"scheme.act.granularity": "group"}, "granularity must be one of tensor, channel,"),
        (
            {"scheme.weight.granularity": "group"},
            "scheme.weight.group_size and scheme.weight.granularity=group must be set",
        ),
        ({"scheme.act.narrow": True, "scheme.act.signed": False}, "narrow=true needs signed"),
        (
            {"scheme.act.quantizer": "user"},
            "scheme.act.target and quantizer@scheme.act=user must be set",
        ),
        ({"scheme.act.observer_target": "a:b"}, "scheme.act.observer_target and"),
        ({"scheme.placement": "integer", "mode": "dynamic"}, "use mode=static or qat"),
        ({"scheme.placement": "integer", "scheme.first_last": "fp16"}, "one of 8, same"),
        (rule(match="", keep_float=True), r"scheme.rules\[0\].match is empty"),
        (rule(), r"scheme.rules\[0\] changes nothing"),
        (rule(keep_float=True, act={"bits": 4}), "drop one of the two"),
        (rule(act={"bits": 17}), r"scheme.rules\[0\].act.bits must be 2 to 16, or 32"),
        (rule(act={"bits": True}), "got True"),
        (rule(weight={"bitz": 4}), r"a setting of scheme.rules\[0\].weight must be one of format"),
        ({"optimizer.betas": [0.9]}, "optimizer.betas must be two numbers"),
        ({"mode": "qat", "trainer.devices": 2, "trainer.compile": "model"}, "compile=none"),
        ({"mode": "qat", "trainer.devices": 4, "trainer.batch_size": 3}, "batch_size=3 is below"),
        ({"study.name": "a/b"}, "study.name"),
    ],
)
def test_refused(config, keys, message):
    with pytest.raises(ValueError, match=re.sub(r"(?<!\\)\.(?!\*)", r"\\.", message)) as refused:
        check_config(config(keys))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"data.name": "npz", "data.path": "it.npz", "data.mean": [0.5], "data.std": [0.5]},
        {"scheme.weight.granularity": "group", "scheme.weight.group_size": 16},
        {"model.source": "user", "model.target": "a:b", "model.checkpoint": "c.pt"},
        {"mode": "qat", "trainer.devices": 2, "trainer.batch_size": 2},
        {"mode": "static", "trainer.devices": 2, "trainer.batch_size": 1},  # nothing is trained
        rule(keep_float=True),
        rule(weight={"bits": 32}, act={"bits": 2}),
    ],
)
def test_allowed(config, keys):
    check_config(config(keys))


def test_a_rule_changes_settings_of_a_slot_only():
    assert set(RULE_KEYS) <= set(TensorSpec.__dataclass_fields__)
