import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qat.records.pareto import non_dominated

POINTS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=12)


@given(POINTS, st.tuples(*[st.booleans()] * 3))
def test_it_is_what_brute_force_finds(points, maximize):
    array = np.array(points, dtype=float).reshape(-1, 3) * np.where(maximize, 1, -1)
    expected = [
        i
        for i, point in enumerate(array)
        if not any((other >= point).all() and (other != point).any() for other in array)
    ]
    assert non_dominated(points, maximize) == expected


def test_a_point_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"must have 2 values, got \(1,\)"):
        non_dominated([(1,)], [True, False])
