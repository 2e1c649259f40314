"""Data that calibration rarely sees: every observer gives a finite range that represents them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qat.core.grid import IntGrid
from qat.core.qparams import qparams_from_range
from qat.core.scheme import Method
from qat.observers.registry import OBSERVERS, make_observer
from tests.observers.ranges import normal

NAMES = sorted(OBSERVERS)
COUNT = 12_000
HOSTILE = {
    "zeros": torch.zeros(1, COUNT),
    "constant": torch.full((1, COUNT), 7.25),
    "negative constant": torch.full((1, COUNT), -7.25),
    "tiny": normal(COUNT) * 1e-30,
    "large": normal(COUNT) * 1e30,
    "skewed": normal(COUNT).mul(2).exp(),
    "one-sided": normal(COUNT).relu(),
    "negative": -normal(COUNT).relu(),
    "far from zero": normal(COUNT) + 1000,
    "two values": torch.tensor([[-1.0, 3.0]]).repeat(1, COUNT // 2),
    "huge outlier": torch.cat([normal(COUNT), torch.tensor([[1e6]])], dim=1),
    "mostly zero": torch.cat([torch.zeros(1, COUNT), torch.ones(1, 3)], dim=1),
    "single": torch.tensor([[2.5]]),
}


def faults(name, x, bits, signed, symmetric):
    """What is wrong with the range of an observer; nothing if it represents the values."""
    observer = make_observer(Method(name), 1)
    observer.observe(x)
    grid = IntGrid(bits, signed)
    low, high = observer.range(grid, symmetric=symmetric)
    scale, zero_point = qparams_from_range(low, high, grid, symmetric=symmetric)
    codes = ((x / scale).round() + zero_point).clamp(grid.qmin, grid.qmax)
    # On signed symmetric codes the code qmin lies one step outside of the range. mean_abs gives a
    # first step of training, not a range of the values.
    widest = x.abs().max() * 2 + 1e-12
    wide = name != "mean_abs" and bool((torch.maximum(-low, high) > widest).any())
    values = torch.cat([low, high, scale.flatten(), zero_point.flatten().to(low.dtype)])
    checks = {
        "not finite": not bool(torch.isfinite(values).all()),
        "ends in the wrong order": bool((low > high).any()),
        "wider than the values": wide,
        "values that are not finite": not bool(((codes - zero_point) * scale).isfinite().all()),
    }
    return [words for words, is_wrong in checks.items() if is_wrong]


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("data", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
def test_ranges_are_finite_and_not_wider_than_the_values(name, data, symmetric):
    for bits in (2, 4, 8):
        for signed in (True, False):
            assert faults(name, HOSTILE[data], bits, signed, symmetric) == []


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"mean_abs"}))
def test_a_constant_is_represented(name):
    for value in (7.25, -7.25):
        observer = make_observer(Method(name), 1)
        observer.observe(torch.full((1, COUNT), value))
        grid = IntGrid(8, signed=True)
        scale, _ = qparams_from_range(*observer.range(grid, symmetric=True), grid, symmetric=True)
        code = (value / scale).round().clamp(grid.qmin, grid.qmax)
        assert (code * scale).item() == pytest.approx(value, rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    values=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=40),
    bits=st.integers(2, 8),
    signed=st.booleans(),
    symmetric=st.booleans(),
)
def test_any_values_have_a_range(name, values, bits, signed, symmetric):
    assert faults(name, torch.tensor([values]), bits, signed, symmetric) == []
