"""Ranges of least KL divergence, against the algorithm in loops."""

import itertools

import numpy as np
import pytest
import torch

from qat.core.grid import IntGrid
from qat.observers.entropy import EntropyObserver, best_factor, divergence
from tests.observers.ranges import normal


def by_loops(counts, first, last, levels):
    """The divergence of one range, as the source describes it, bin by bin."""
    p = counts[first:last].astype(float).copy()
    p[0] += counts[:first].sum()
    p[-1] += counts[last:].sum()
    q = np.zeros_like(p)
    borders = [(last - first) * k // levels for k in range(levels + 1)]
    for begin, end in itertools.pairwise(borders):
        used = p[begin:end] > 0
        if used.any():
            q[begin:end][used] = max(counts[first + begin : first + end].sum(), 1) / used.sum()
    p, q = p / p.sum(), q / q.sum()
    return sum(a * np.log(a / b) for a, b in zip(p, q, strict=True) if a)


@pytest.mark.parametrize("levels", [2, 5, 8])
@pytest.mark.parametrize("seed", range(4))
def test_the_divergence_is_that_of_loops(seed, levels):
    generator = np.random.default_rng(seed)
    counts = generator.poisson(2.0, 64) * generator.integers(0, 2, 64)
    counts[0] += 1
    ranges = [(0, 64), (0, 40), (3, 50), (10, 10 + levels), (0, levels)]
    first, last = (torch.tensor([each]) for each in zip(*ranges, strict=True))
    found = divergence(torch.from_numpy(counts).double()[None], first, last, levels)[0]
    expected = [by_loops(counts, *each, levels) for each in ranges]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_by_hand():
    """Bins 3 1 0 4, two levels: P = 3 1 0 4, Q = 2 2 0 4; of two bins P = 3 5, Q = 3 1."""
    counts = torch.tensor([[3.0, 1.0, 0.0, 4.0]], dtype=torch.float64)
    first, last = torch.tensor([[0, 0]]), torch.tensor([[4, 2]])
    whole = (3 * np.log(3 / 2) + np.log(1 / 2)) / 8
    clipped = 3 / 8 * np.log((3 / 8) / (3 / 4)) + 5 / 8 * np.log((5 / 8) / (1 / 4))
    found = divergence(counts, first, last, 2)[0]
    np.testing.assert_allclose(found, [whole, clipped])


def test_bins_are_kept_if_nothing_is_gained():
    counts = torch.full((1, 16), 5.0, dtype=torch.float64)
    assert best_factor(counts, torch.tensor([0]), torch.tensor([16]), 4).item() == 1.0


def observed(x, bits=8, signed=True, symmetric=True):
    observer = EntropyObserver(len(x))
    observer.observe(x)
    low, high = observer.range(IntGrid(bits, signed), symmetric=symmetric)
    return low.squeeze().tolist(), high.squeeze().tolist()


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("count", [5000, 200_000])  # kept as values, and counted
def test_outliers_are_clipped(bits, count):
    x = torch.cat([normal(count), torch.tensor([[60.0]])], dim=1)
    low, high = observed(x, bits)
    assert 1 < high == -low < 8


def test_a_relu_keeps_a_range_although_half_of_its_values_are_0():
    low, high = observed(normal(200_000).relu(), signed=False)
    assert low == 0
    assert 2 < high < 5


def test_both_ends_of_an_asymmetric_range_move_together():
    x = torch.cat([normal(200_000) + 1, torch.tensor([[-40.0, 80.0]])], dim=1)
    low, high = observed(x, signed=False, symmetric=False)
    assert high / -low == pytest.approx(2, rel=1e-6)
    assert 2 < high < 20


def test_more_levels_than_bins_clip_nothing():
    x = normal(20_000)
    assert observed(x, bits=16)[1] == x.abs().max().item()


def test_slices_are_searched_in_groups(monkeypatch):
    x = torch.cat([normal(9000, seed=seed) for seed in range(5)])
    together = observed(x)
    monkeypatch.setattr("qat.observers.entropy._ELEMENTS", 1)
    assert observed(x) == together
