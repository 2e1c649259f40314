"""What an observer gives for batches, and values to give it."""

import torch

from qat.core.grid import IntGrid

GRID = IntGrid(4, signed=True)
BATCHES = [[-1.0, 2.0]], [[-4.0, 1.0]], [[0.0, 3.0]]


def normal(count, seed=0, slices=1):
    return torch.randn(slices, count, generator=torch.Generator().manual_seed(seed))


def range_of(observer, *batches):
    """Both ends of the range of one slice, after these batches."""
    for batch in batches:
        observer.observe(torch.as_tensor(batch, dtype=torch.float32))
    low, high = observer.range(GRID, symmetric=False)
    return low.squeeze().tolist(), high.squeeze().tolist()
