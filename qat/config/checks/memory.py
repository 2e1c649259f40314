"""Checks of the memory settings, and those of them that are part of a run's id."""

from dataclasses import asdict
from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.config.schema import MemoryConfig, RunConfig
from qat.memory.optimizers import OPTIMIZER_STATES

ELEMENT_BYTES = 4
"""Bytes of a float32 element, in which the arena is addressed."""


def check_memory(config: RunConfig) -> None:
    """Refuse settings with which memory cannot be planned, or the network not be run in the plan.

    Raises:
        ValueError: At the first wrong value or combination.
    """
    memory = config.memory
    for name in ("in_place", "schedule"):
        if getattr(memory, name) and not memory.reuse:
            raise InputError(
                f"memory.{name}=true acts on lifetimes, which memory.reuse=false ignores: set "
                f"memory.reuse=true or memory.{name}=false"
            )
    if memory.execute and memory.alignment % ELEMENT_BYTES:
        raise InputError(
            f"memory.alignment={memory.alignment} splits elements of {ELEMENT_BYTES} bytes, which "
            "memory.execute=true cannot run: take a multiple of 4"
        )
    if memory.optimizer is not None:
        one_of("memory.optimizer", memory.optimizer, OPTIMIZER_STATES)
    if memory.prefetch and config.mode == "float":
        raise InputError(
            "memory.prefetch=true unpacks packed weights, which mode=float does not have: set "
            "memory.prefetch=false or a mode that quantizes"
        )


def memory_settings(config: RunConfig) -> dict[str, Any]:
    """The settings that differ from the defaults, for the id of a run.

    A run with default settings has the same id as a run from before there were memory settings.
    ``memory.budget`` changes no result, so it is not part of the id.
    """
    usual = asdict(MemoryConfig())
    changed = {k: v for k, v in asdict(config.memory).items() if v != usual[k] and k != "budget"}
    return {"memory": changed} if changed else {}
