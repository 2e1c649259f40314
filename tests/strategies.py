"""Hypothesis strategies that several rooms' tests share."""

import numpy as np
from hypothesis import strategies as st

from qat.core.grid import IntGrid


def grids(max_bits=16):
    """Every grid there is."""
    unsigned = st.builds(IntGrid, st.integers(2, max_bits), st.just(False))
    signed = st.builds(IntGrid, st.integers(2, max_bits), st.just(True), st.booleans())
    return unsigned | signed


def values(size=64, largest=1e4):
    """Float32 values, zeros and ties among them."""
    number = st.floats(-largest, largest, width=32, allow_nan=False, allow_subnormal=False)
    return st.lists(number, min_size=1, max_size=size).map(lambda v: np.array(v, np.float32))


def ranges(largest=1e4):
    """``(low, high)`` with some width, of any sign."""
    number = st.floats(-largest, largest, width=32, allow_nan=False, allow_subnormal=False)
    pair = st.tuples(number, number).map(lambda p: (min(p), max(p)))
    return pair.filter(lambda p: max(p[1], 0) - min(p[0], 0) > 1e-3)
