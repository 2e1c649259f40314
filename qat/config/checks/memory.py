"""Checks of the memory settings, and what of them names a run."""

from dataclasses import asdict
from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.config.schema import MemoryConfig, RunConfig
from qat.memory.optimizers import OPTIMIZERS

ELEMENT_BYTES = 4


def check_memory(config: RunConfig) -> None:
    """Refuse what cannot be planned or run.

    Raises:
        ValueError: At the first thing that is wrong.
    """
    memory = config.memory
    for name in ("in_place", "schedule"):
        if getattr(memory, name) and not memory.reuse:
            raise InputError(
                f"memory.{name}=true acts on lifetimes, which memory.reuse=false leaves out: set "
                f"memory.reuse=true or memory.{name}=false"
            )
    if memory.execute and memory.alignment % ELEMENT_BYTES:
        raise InputError(
            f"memory.alignment={memory.alignment} splits elements of {ELEMENT_BYTES} bytes, which "
            "memory.execute=true cannot run: take a multiple of 4"
        )
    if memory.optimizer is not None:
        one_of("memory.optimizer", memory.optimizer, OPTIMIZERS)
    if memory.prefetch and config.mode == "float":
        raise InputError(
            "memory.prefetch=true unpacks packed weights, which mode=float has not: set "
            "memory.prefetch=false or a mode that quantizes"
        )


def memory_settings(config: RunConfig) -> dict[str, Any]:
    """What differs from the defaults, so that runs made before keep their ids."""
    usual = asdict(MemoryConfig())
    changed = {k: v for k, v in asdict(config.memory).items() if v != usual[k]}
    return {"memory": changed} if changed else {}
