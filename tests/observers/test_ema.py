"""A moving average of extremes, by hand."""

import pytest

from qat.observers.ema import EMAObserver
from tests.observers.ranges import BATCHES, range_of


def test_ema_starts_at_the_first_batch_and_moves_by_momentum():
    # low: -1, then -1 + 0.1 (-4 + 1) = -1.3, then -1.3 + 0.1 (0 + 1.3) = -1.17
    # high: 2, then 2 + 0.1 (1 - 2) = 1.9, then 1.9 + 0.1 (3 - 1.9) = 2.01
    assert range_of(EMAObserver(1), *BATCHES) == pytest.approx((-1.17, 2.01))


@pytest.mark.parametrize("momentum", [0.0, -0.1, 1.1])
def test_a_momentum_out_of_range_is_refused(momentum):
    with pytest.raises(ValueError, match=r"momentum must be in \(0, 1\]"):
        EMAObserver(1, momentum)
