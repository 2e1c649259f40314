"""A composition that has the schema's types already, against one that is merged into the schema."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import ConfigKeyError

from qat.config.bases import Bases
from qat.config.compose import composer, typed
from qat.config.of_schema import is_of_schema
from qat.config.schema import RunConfig
from tests.command_line import TINY


@dataclass
class Inner:
    count: int = 1


@dataclass
class Outer:
    name: str = "a"
    inner: Inner = field(default_factory=Inner)
    free: dict[str, Any] = field(default_factory=dict)
    several: list[Inner] = field(default_factory=list)


SCHEMA = OmegaConf.structured(Outer)


def changed(**keys):
    config = OmegaConf.structured(Outer)
    OmegaConf.set_struct(config, False)
    for key, value in keys.items():
        OmegaConf.update(config, key.replace("__", "."), value, force_add=True)
    return config


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (changed(), True),
        (changed(name="b", inner__count="3", free__a=[1]), True),
        (changed(name="${inner.count}"), True),
        (changed(several=[{"count": 2}]), False),
        (changed(more=1), False),
        (changed(inner__more=1), False),
        (changed(inner="${free}"), False),
        (OmegaConf.create({"name": "a", "inner": {"count": 1}, "free": {}, "several": []}), False),
    ],
)
def test_types_and_keys_are_those_of_the_dataclass(config, expected):
    assert is_of_schema(config, SCHEMA) is expected


LINES = [
    [],
    [*TINY, "mode=qat", "seed=3", "optimizer=adamw", "optimizer.lr=1"],
    ["scheme=w4a4", "quantizer@scheme.act=lsq", "++scheme.act.options.start=mse"],
    ["scheme.rules=[{match: a, weight: {bits: 3}}]"],
    ["experiment=bitwidth"],
]


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_the_result_is_that_of_a_merge(words):
    with composer(None):
        config = Bases(None).compose(words)
        plain = OmegaConf.to_container(config, resolve=True)
        merged = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(RunConfig), plain))
        found = typed(config)
    assert found == merged
    assert repr(found) == repr(merged)  # 1 and 1.0 are equal, but not the same setting


def test_an_added_key_is_refused():
    with composer(None):
        config = Bases(None).compose(["+scheme.act.foo=1"])
    with pytest.raises(ConfigKeyError, match="foo"):
        typed(config)
