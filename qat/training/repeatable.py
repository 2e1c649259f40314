"""The same numbers every time, and after an interruption too."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch
from torch.utils import deterministic

from qat.core.processes import rank


class SeedEachBatch(L.Callback):
    """Make what a batch draws at random (dropout) a function of (seed, epoch, batch, rank).

    Args:
        seed: Of the training.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed torch's generators."""
        torch.manual_seed(batch_seed(self.seed, trainer.current_epoch, batch_idx, rank()))


def batch_seed(seed: int, epoch: int, batch: int, rank: int = 0) -> int:
    """63 bits that any change of an argument changes throughout."""
    words = ("drop", seed, epoch, batch, *([rank] if rank else []))
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Leave the process's generators and its determinism switches as they were found."""
    algorithms = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    # Guards against reading memory that was never written, at the price of writing all of it.
    deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(algorithms, warn_only=warn_only)
