import math

import numpy as np
import pytest
import torch

from qat.analysis.channels import channel_spread


def test_each_channel_is_measured_by_itself():
    weight = torch.tensor([[8.0, 4.0], [0.8, 0.4]])
    rounded = torch.tensor([[8.0, 4.0], [1.0, 0.0]])
    spread = channel_spread(weight, rounded)
    # Channel 1: signal .64 + .16, noise .04 + .16.
    assert spread.worst == 1
    assert spread.worst_db == pytest.approx(10 * math.log10(0.80 / 0.20))
    assert spread.dead == 0


def test_a_channel_that_becomes_zero_is_dead_and_one_that_was_zero_is_not():
    weight = torch.tensor([[5.0, 5.0], [0.1, 0.2], [0.0, 0.0]])
    spread = channel_spread(weight, weight.round())
    assert (spread.dead, spread.worst) == (1, 1)
    assert spread.worst_db == pytest.approx(0.0)


def test_the_range_is_held_against_the_median_channel():
    weight = torch.tensor([[1.0], [-2.0], [40.0]])
    assert channel_spread(weight, weight).range_ratio == pytest.approx(20.0)


def test_nothing_lost_is_infinite():
    weight = torch.ones(3, 2)
    assert channel_spread(weight, weight).worst_db == math.inf


def test_a_convolution_equals_numpy():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(6, 3, 3, 3)) * 10.0 ** rng.uniform(-2, 0, (6, 1, 1, 1))
    step = np.abs(weight).max() / 127
    rounded = np.round(weight / step) * step
    noise = ((weight - rounded) ** 2).reshape(6, -1).sum(1)
    expected = 10 * np.log10((weight**2).reshape(6, -1).sum(1) / noise)
    spread = channel_spread(torch.tensor(weight), torch.tensor(rounded))
    assert spread.worst_db == pytest.approx(expected.min())
    assert spread.worst == expected.argmin()


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        channel_spread(torch.ones(2, 2), torch.ones(2, 3))
