"""Activations of all images as one tensor, in memory or, beyond a budget, in a mapped file."""

import math
import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor


def gathered(parts: Iterable[Tensor], images: int, limit_bytes: int) -> Tensor:
    """Join tensors along their first axis, without holding all of them twice.

    Args:
        parts: One tensor of each batch, mostly with one row for each image.
        images: Number of images of all batches.
        limit_bytes: A larger result lies in a temporary file that the system maps into memory, and
            is on the CPU. It can be read and indexed like any tensor.

    Returns:
        The joined tensor, on the device of the parts if it is below the limit.

    Example:
        >>> gathered([torch.ones(2, 1), torch.zeros(1, 1)], images=3, limit_bytes=2**20).tolist()
        [[1.0], [1.0], [0.0]]
    """
    whole: Tensor | None = None
    end = 0
    for part in parts:
        if whole is None:
            whole = _empty((images, *part.shape[1:]), part, limit_bytes)
        if end + len(part) > len(whole):  # a layer that sees several rows of each image
            whole = torch.cat([whole[:end], part.to(whole.device)])
        else:
            whole[end : end + len(part)] = part
        end += len(part)
    assert whole is not None, "there are no batches"
    return whole[:end]


def _empty(shape: tuple[int, ...], like: Tensor, limit_bytes: int) -> Tensor:
    count = math.prod(shape)
    if count * like.element_size() <= limit_bytes:
        return torch.empty(shape, dtype=like.dtype, device=like.device)
    with tempfile.TemporaryDirectory(prefix="qat-ptq-") as folder:
        # The file stays until the last view of the tensor is gone, though its name is removed.
        path = str(Path(folder) / "activations")
        return torch.from_file(path, shared=True, size=count, dtype=like.dtype).reshape(shape)
