"""Pieces of rows: all columns, in order."""

import torch

from qat.observers.pieces import ELEMENTS, pieces


def test_pieces_are_the_rows():
    x = torch.arange(6 * 50_000).reshape(6, -1)
    parts = list(pieces(x))
    assert torch.equal(torch.cat(parts, dim=1), x)
    assert max(part.numel() for part in parts) <= ELEMENTS
    assert len(list(pieces(x, at_least=10**6))) == 1
    assert [part.shape for part in pieces(torch.empty(3, 0))] == [(3, 0)]
