"""Parts of torch that it does not promise to keep, all in this file; read in torch 2.15."""

from typing import Any

import torch
from torch.profiler import profile

READ_IN = "2.15"


def set_recompile_limit(limit: int) -> None:
    """Let torch compile one function anew for so many shapes before it gives up."""
    torch._dynamo.config.recompile_limit = limit  # type: ignore[attr-defined]


def memory_changes(seen: profile) -> list[tuple[int, int]]:
    """``(nanoseconds, bytes)`` of each allocation (above 0) and release (below 0), by time.

    Args:
        seen: A profile with ``profile_memory=True`` that has ended.
    """
    profiler: Any = seen.profiler
    events = profiler.kineto_results.events() if profiler else []
    return sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
