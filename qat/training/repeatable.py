"""Random numbers and settings that give the same training again, also after an interruption."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils import deterministic


def batch_seed(seed: int, epoch: int, batch: int, rank: int = 0) -> int:
    """A 63-bit hash of the arguments.

    Args:
        seed: Of the training.
        epoch: From 0.
        batch: From 0.
        rank: Of the process; rank 0 draws as a training in one process.

    Example:
        >>> batch_seed(0, 1, 2) == batch_seed(0, 1, 2, rank=0) != batch_seed(0, 1, 2, rank=1)
        True
    """
    words = ("drop", seed, epoch, batch, *([rank] if rank else []))
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Restore the process's generators and its determinism switches at the end of the block."""
    algorithms = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    # The fill guards against reading uninitialised memory, but costs a write of all of it.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        _set_algorithms(algorithms, warn_only)


def _set_algorithms(deterministic_only: bool, warn_only: bool) -> None:
    """Set torch's switch if it differs: the call imports torch's whole compiler."""
    now = torch.are_deterministic_algorithms_enabled()
    if (now, torch.is_deterministic_algorithms_warn_only_enabled()) != (
        deterministic_only,
        warn_only,
    ):
        torch.use_deterministic_algorithms(deterministic_only, warn_only=warn_only)
