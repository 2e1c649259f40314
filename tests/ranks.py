"""Run a function in processes that talk to each other by gloo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import distributed as dist
from torch import multiprocessing


def on_ranks(function: Callable[..., Any], folder: Path, *arguments: Any, ranks: int = 2) -> list:
    """What ``function(rank, ranks, *arguments)``, of a module, returned on each rank."""
    spawned = (function, folder, ranks, arguments)
    multiprocessing.spawn(_rank, spawned, nprocs=ranks)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(ranks)]


def _rank(rank: int, function: Callable, folder: Path, ranks: int, arguments: tuple) -> None:
    torch.set_num_threads(1)
    store = f"file://{folder / 'store'}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=ranks)
    torch.save(function(rank, ranks, *arguments), folder / f"{rank}.pt")
    dist.destroy_process_group()
