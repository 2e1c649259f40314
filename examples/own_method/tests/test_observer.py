"""The observer, against mean and standard deviation of numpy."""

import numpy as np
import pytest
import torch
from own_method.observer import SigmaObserver


def ends_of(observer):
    """Lower and upper end of the range of the only scale."""
    return [float(end) for end in observer.range(None, symmetric=False)]


def test_the_range_is_that_of_numpy_over_all_batches():
    x = torch.randn(2, 3000, generator=torch.Generator().manual_seed(0)) * 2 + 1
    observer = SigmaObserver(2, sigmas=2.0)
    for part in x.split(700, dim=1):
        observer.observe(part)
    low, high = observer.range(None, symmetric=False)
    mean, std = x.double().numpy().mean(axis=1), x.double().numpy().std(axis=1)
    np.testing.assert_allclose(low.numpy(), mean - 2 * std, rtol=1e-6)
    np.testing.assert_allclose(high.numpy(), mean + 2 * std, rtol=1e-6)


def test_it_goes_no_further_than_the_values():
    observer = SigmaObserver(1)
    observer.observe(torch.tensor([[0.0, 0.0, 0.0, 4.0]]))
    assert ends_of(observer) == [0.0, 4.0]


def test_it_forgets():
    observer = SigmaObserver(1)
    observer.observe(torch.full((1, 9), 100.0))
    observer.reset()
    assert not observer.seen
    observer.observe(torch.tensor([[-1.0, 1.0]]))
    assert ends_of(observer) == [-1.0, 1.0]


def test_sigmas_must_be_above_zero():
    with pytest.raises(ValueError, match="sigmas must be above 0"):
        SigmaObserver(1, sigmas=0.0)
