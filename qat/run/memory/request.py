"""How the memory of a run's networks is planned."""

from dataclasses import dataclass

from qat.config.schema import MemoryConfig, RunConfig
from qat.run.memory.budget import memory_budget_bytes


@dataclass(frozen=True)
class MemoryRequest:
    """Strategies of the memory plan, what is measured, and the budget of the run's stages.

    Attributes:
        settings: The configuration group ``memory``.
        optimizer: Optimizer whose state counts in a training step, such as ``sgd_momentum``.
        draws_figures: Whether the figures are written as well.
        budget_bytes: How much a stage may hold at once, beside a forward pass.
    """

    settings: MemoryConfig
    optimizer: str
    draws_figures: bool
    budget_bytes: int


def memory_request(config: RunConfig) -> MemoryRequest:
    """Take the memory settings from a configuration; by default the optimizer is the run's own."""
    return MemoryRequest(
        config.memory,
        _optimizer(config),
        config.tracking.figures,
        memory_budget_bytes(config.memory),
    )


def _optimizer(config: RunConfig) -> str:
    if config.memory.optimizer is not None:
        return config.memory.optimizer
    optimizer = config.float.optimizer if config.mode == "float" else config.optimizer
    return "sgd_momentum" if optimizer.name == "sgd" and optimizer.momentum else optimizer.name
