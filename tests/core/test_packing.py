import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qat.core.packing import pack, packed_size, unpack
from tests.reference.affine import pack as pack_as_one_integer
from tests.strategies import grids


@st.composite
def grids_and_codes(draw):
    grid = draw(grids())
    codes = draw(st.lists(st.integers(grid.qmin, grid.qmax), max_size=70))
    return grid, np.array(codes, np.int32)


@given(grids_and_codes())
def test_stream_is_that_of_one_big_integer_and_comes_back(case):
    grid, codes = case
    stream = pack(codes, grid.bits, grid.qmin)
    assert stream.tobytes() == pack_as_one_integer(codes, grid.bits, grid.qmin)
    assert np.array_equal(unpack(stream, len(codes), grid.bits, grid.qmin), codes)


@pytest.mark.parametrize(
    ("count", "bits", "size"), [(8, 3, 3), (9, 3, 4), (1, 2, 1), (4, 2, 1), (5, 8, 5), (3, 16, 6)]
)
def test_bytes_are_counted_up(count, bits, size):
    assert packed_size(count, bits) == size
    assert pack(np.zeros(count, np.int32), bits, 0).nbytes == size


def test_by_hand():
    """Codes -1, 0, 1 of 2 bits from -2: offsets 1, 2, 3 -> 11 10 01, low bits first."""
    assert pack(np.array([-1, 0, 1], np.int32), 2, -2).tolist() == [0b111001]


def test_a_code_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"codes 0\.\.4 do not fit 2 bits"):
        pack(np.array([0, 4], np.int32), 2, 0)


def test_a_stream_of_another_length_is_refused():
    with pytest.raises(ValueError, match="3 codes of 4 bits take 2 bytes, the stream has 1"):
        unpack(np.zeros(1, np.uint8), 3, 4, 0)
