"""All uses of private parts of torch, as they are in torch 2.15."""

from typing import Any

import torch
from torch.profiler import profile
from torch.utils._python_dispatch import TorchDispatchMode

READ_IN = "2.15"


class EagerDispatchMode(TorchDispatchMode):
    """A dispatch mode for code that is never compiled.

    torch wraps the method of its own class so that the compiler skips it; the first call of the
    wrapper imports the whole compiler.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


def set_recompile_limit(limit: int) -> None:
    """Let torch compile one function for up to ``limit`` kinds of arguments."""
    torch._dynamo.config.recompile_limit = limit  # type: ignore[attr-defined]


def set_eager_numerics() -> None:
    """Let code that torch compiles for a GPU divide as its own operations do.

    Otherwise Triton divides by an approximation, so that a value near the middle of two codes gets
    the other code, and takes the smallest numbers for 0.
    """
    from torch._inductor import config  # imports much of the compiler

    config.eager_numerics.division_rounding = True
    config.eager_numerics.disable_ftz = True


def memory_changes(finished: profile) -> list[tuple[int, int]]:
    """``(nanoseconds, bytes)`` of each allocation (above 0) and release (below 0), by time.

    Args:
        finished: A profile with ``profile_memory=True`` that has ended.
    """
    profiler: Any = finished.profiler
    events = profiler.kineto_results.events() if profiler else []
    return sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
