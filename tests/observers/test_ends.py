"""The widest range that a grid can need, by hand."""

import pytest
import torch

from qat.core.grid import IntGrid
from qat.observers.ends import widest


@pytest.mark.parametrize(
    ("ends", "signed", "symmetric", "expected"),
    [
        ((-3, 2), True, True, (-3, 3)),
        ((-3, 2), False, True, (0, 2)),
        ((-3, 2), False, False, (-3, 2)),
        ((1, 2), True, False, (0, 2)),
        ((-2, -1), True, False, (-2, 0)),
        ((-2, -1), False, True, (0, 0)),
    ],
)
def test_ends_by_hand(ends, signed, symmetric, expected):
    low, high = (torch.tensor([float(end)]) for end in ends)
    found = widest(low, high, IntGrid(4, signed), symmetric=symmetric)
    assert tuple(end.item() for end in found) == expected
