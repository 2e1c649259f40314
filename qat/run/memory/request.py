"""How the memory of a run's networks is planned."""

from dataclasses import dataclass

from qat.config.schema import MemoryConfig, RunConfig


@dataclass(frozen=True)
class MemoryRequest:
    """Strategies of the plan, and what is measured.

    Attributes:
        settings: The group ``memory``.
        optimizer: Whose state counts in a training step.
        draws_figures: Write the figures as well.
    """

    settings: MemoryConfig
    optimizer: str
    draws_figures: bool


def memory_request(config: RunConfig) -> MemoryRequest:
    """The memory settings of a configuration, with the optimizer decided."""
    return MemoryRequest(config.memory, _optimizer(config), config.tracking.figures)


def _optimizer(config: RunConfig) -> str:
    if config.memory.optimizer is not None:
        return config.memory.optimizer
    optimizer = config.float.optimizer if config.mode == "float" else config.optimizer
    return "sgd_momentum" if optimizer.name == "sgd" and optimizer.momentum else optimizer.name
