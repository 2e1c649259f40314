"""Pieces cover an array once, in order."""

import numpy as np
import pytest

from qat.export.parity.pieces import PIECE, pieces


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 21])
def test_every_element_is_in_one_piece(count):
    values = np.arange(count)
    parts = [values[piece] for piece in pieces(count, 7)]
    assert [value for part in parts for value in part] == list(values)
    assert all(len(part) == 7 for part in parts[:-1])


def test_a_piece_in_float64_is_not_mapped_anew():
    assert PIECE * 8 < 32 * 2**20
