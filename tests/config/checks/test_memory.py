"""Memory settings: what is refused, and what of them names a run."""

from dataclasses import replace

import pytest

from qat.config.checks.memory import check_memory, memory_settings
from qat.config.schema import MemoryConfig, RunConfig


def config(mode="static", **memory):
    return replace(RunConfig(), mode=mode, memory=MemoryConfig(**memory))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reuse": False}, "memory.in_place=true acts on lifetimes.*memory.reuse=true"),
        ({"reuse": False, "in_place": False}, "memory.schedule=true acts on lifetimes"),
        ({"alignment": 2, "execute": True}, "splits elements.*multiple of 4"),
        ({"optimizer": "rmsprop"}, "memory.optimizer"),
        ({"prefetch": True, "mode": "float"}, "mode=float does not have"),
    ],
)
def test_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        check_memory(config(**settings))


def test_defaults_pass_and_name_nothing():
    check_memory(config())
    check_memory(config(alignment=2))
    assert memory_settings(config()) == {}
    assert memory_settings(config(execute=True)) == {"memory": {"execute": True}}


def test_the_budget_names_no_run():
    assert memory_settings(config(budget=2**20)) == {}
    assert memory_settings(config(budget=2**20, batch=2)) == {"memory": {"batch": 2}}
