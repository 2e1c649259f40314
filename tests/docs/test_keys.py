"""The keys of the configuration, compared with what a run composes and checks."""

import pytest
from hydra import compose

from docs._generate.keys import every_key, kind_words
from qat.config.compose import composer
from qat.config.keys import key_types

KEYS = {key.name: key for key in every_key()}


def test_every_key_of_the_schema_is_there_in_its_order():
    assert list(KEYS) == list(key_types())


@pytest.mark.parametrize("name", KEYS)
def test_every_key_has_a_meaning(name):
    assert KEYS[name].meaning, f"comment {name} in conf/ or in qat/config/schema.py"


@pytest.mark.parametrize(
    ("name", "kind", "default", "allowed"),
    [
        ("seed", "integer", "`0`", "0 to 2⁶³ - 1"),
        ("scheme.weight.granularity", "text", "`channel`", "`tensor`, `channel`, `group`"),
        ("scheme.act.granularity", "text", "`tensor`", "`tensor`, `channel`, `group`"),
        ("trainer.gradient_clip_val", "number or null", "`null`", "above 0, at most 1000000"),
        ("measure.batches", "list of integers", "`[1]`", "1 to 65536"),
        ("data.augment.flip", "true or false", "`true`", ""),
        ("paths.runs", "text", "`${oc.env:QAT_RUNS,runs}`", ""),
        ("float.optimizer.lr", "number", "`0.05`", "above 0, at most 100"),
    ],
)
def test_some_keys_by_hand(name, kind, default, allowed):
    key = KEYS[name]
    assert (key.kind, key.default, key.allowed) == (kind, default, allowed)


def test_defaults_are_those_of_a_run():
    with composer(None):
        config = compose("run")
    assert KEYS["scheme.weight.bits"].default == f"`{config.scheme.weight.bits}`"
    assert KEYS["calibrate.images"].default == f"`{config.calibrate.images}`"


def test_a_meaning_comes_from_the_file_that_a_run_takes():
    assert KEYS["mixed.check_plans"].meaning.startswith("number of random plans")


def test_types_in_words():
    assert kind_words(float | None) == "number or null"
    assert kind_words(dict[str, int]) == "mapping"
    assert kind_words(list[dict[str, int]]) == "list of mappings"
