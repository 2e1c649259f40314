"""How much memory the stages of a run may hold at once, beside the forward pass itself."""

from qat.base.machine_memory import usable_memory_bytes
from qat.config.schema import MemoryConfig

SHARE = 4
"""Without a setting, the budget is the usable memory divided by this number."""


def memory_budget_bytes(settings: MemoryConfig) -> int:
    """Return ``memory.budget``, or a quarter of the memory that this process may use.

    Results do not depend on it: it decides how many tensors are held at once, never how many images
    a forward pass takes whose numbers count.

    Args:
        settings: The configuration group ``memory``.

    Example:
        >>> memory_budget_bytes(MemoryConfig(budget=2**30))
        1073741824
    """
    if settings.budget is not None:
        return settings.budget
    return usable_memory_bytes() // SHARE
