"""Peak memory of torch's allocator during a call, measured by torch's profiler."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

from qat.core.torch_private import memory_changes


def allocated_peak_bytes(run: Callable[[], object]) -> int:
    """Return the peak of bytes that a call allocated on the CPU and had not freed yet.

    Memory that was allocated before the call (the network, the arena) does not count. Scratch
    memory of libraries that do not use torch's allocator does not count either. The allocator
    rounds sizes up.

    Args:
        run: The call; it runs once, in this thread.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        run()
    live = most = 0
    for _, change in memory_changes(profiled):
        live += change
        most = max(most, live)
    return most
