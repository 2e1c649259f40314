"""What torch's allocator really gave out while something ran, as its profiler saw it."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

from qat.core.torch_private import memory_changes


def allocated_peak_bytes(run: Callable[[], object]) -> int:
    """Most bytes of tensors alive at once that were allocated on the CPU during a call.

    What was allocated before (the network, the arena) does not count; neither does scratch memory
    of libraries that do not ask torch's allocator. Rounded up by the allocator as it pleases.

    Args:
        run: Called once, in this thread.
    """
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        run()
    live = most = 0
    for _, change in memory_changes(seen):
        live += change
        most = max(most, live)
    return most
