"""Mean and sample standard deviation, against hand sums and numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qat.tables.statistics import Statistic, statistic


def test_by_hand():
    # mean 4; squared distances 4 + 0 + 4 = 8; 8 / (3 - 1) = 4; root 2
    assert statistic([2.0, 4.0, 6.0]) == Statistic(4.0, 2.0, 3)


def test_one_value_has_no_spread_and_keeps_every_digit():
    assert statistic([0.1 + 0.2]) == Statistic(0.1 + 0.2, None, 1)


def test_no_value_has_no_statistic():
    assert statistic([]) is None


def test_equal_counts_stay_whole():
    result = statistic([40_810_000, 40_810_000])
    assert isinstance(result.mean, int)
    assert result.std == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_numpy_agrees(values):
    result = statistic(values)
    assert result.mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    assert result.std == pytest.approx(np.std(values, ddof=1), rel=1e-6, abs=1e-7)
    assert result.n == len(values)
