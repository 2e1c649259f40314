"""Rows in pieces that stay in a CPU's cache while several operations pass over them."""

from collections.abc import Iterator

from torch import Tensor

ELEMENTS = 2**17
"""Of one piece: 1 MiB of float64."""


def pieces(x: Tensor, at_least: int = 0) -> Iterator[Tensor]:
    """Groups of columns of ``(slices, elements)``, in their order; on a GPU all at once.

    Args:
        x: The rows.
        at_least: Smallest number of elements in a piece, if a piece has a cost of its own.

    Example:
        >>> import torch
        >>> [part.shape[1] for part in pieces(torch.zeros(2, 100_000))]
        [65536, 34464]
    """
    if x.device.type != "cpu":
        return iter((x,))
    columns = max(1, max(ELEMENTS, at_least) // max(x.shape[0], 1))
    return iter(x.split(columns, dim=1))
