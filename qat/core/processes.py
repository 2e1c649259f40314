"""Reductions over the processes (ranks) of a distributed training.

Outside a distributed training each returns its argument. Results are exact if the order of
operations does not matter (extremes, integers). Every rank must call them equally often.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch import distributed as dist

_state = {"alone": False}


def world_size() -> int:
    """Number of processes that train together; 1 outside a distributed training and in `alone`."""
    if _state["alone"] or not (dist.is_available() and dist.is_initialized()):
        return 1
    return dist.get_world_size()


@contextmanager
def alone() -> Iterator[None]:
    """Inside the block this rank counts as the only one, for work that every rank does equally."""
    before, _state["alone"] = _state["alone"], True
    try:
        yield
    finally:
        _state["alone"] = before


def rank() -> int:
    """Index of this process, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def minimum(x: Tensor) -> Tensor:
    """Element-wise minimum over all ranks."""
    return _reduced(x, "MIN")


def total(x: Tensor) -> Tensor:
    """Element-wise sum over all ranks.

    Example:
        >>> total(torch.tensor([1.0, 2.0]))  # outside a distributed training
        tensor([1., 2.])
    """
    return _reduced(x, "SUM")


def number_in_all(number: int, device: torch.device) -> int:
    """Sum of a whole number over all ranks.

    Args:
        number: Of this rank.
        device: On which ranks exchange tensors; a single rank copies nothing to it.
    """
    if world_size() == 1:
        return number
    return int(total(torch.tensor(number, device=device)))


def joined(x: Tensor) -> Tensor:
    """Concatenate ``(rows, columns)`` of all ranks along columns; their number may differ."""
    if world_size() == 1:
        return x
    counts = [int(n) for n in total(_one_hot(x.shape[1])).tolist()]
    padded = torch.zeros(x.shape[0], max(counts), dtype=x.dtype, device=x.device)
    padded[:, : x.shape[1]] = x
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([part[:, :n] for part, n in zip(parts, counts, strict=True)], dim=1)


def _one_hot(value: int) -> Tensor:
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    counts = torch.zeros(world_size(), dtype=torch.int64, device=device)
    counts[rank()] = value
    return counts


def _reduced(x: Tensor, operation: str) -> Tensor:
    if world_size() == 1:
        return x
    result = x.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(result, getattr(dist.ReduceOp, operation))
    return result
