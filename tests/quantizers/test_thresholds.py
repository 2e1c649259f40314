"""Codes by thresholds, against numpy."""

import numpy as np
import pytest
import torch

from qat.quantizers.thresholds import codes_by_thresholds, held_at


@pytest.mark.parametrize("count", [3, 30])  # compared one by one, and searched
def test_codes_are_those_of_numpy(count):
    rng = np.random.default_rng(count)
    ends = np.sort(rng.normal(size=count)).astype(np.float32)
    rows = np.concatenate([rng.normal(size=200), ends]).astype(np.float32)
    codes = codes_by_thresholds(torch.tensor(rows)[None], torch.tensor(ends)[None], count)
    assert np.array_equal(codes[0].numpy(), np.digitize(rows, ends))


def test_a_parameter_below_its_least_value_still_gets_a_gradient():
    parameter = torch.tensor([-2.0, 3.0], requires_grad=True)
    held = held_at(1.0, parameter)
    held.sum().backward()
    assert held.tolist() == [1.0, 3.0]
    assert parameter.grad.tolist() == [1.0, 1.0]
