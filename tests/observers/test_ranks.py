"""Observers of two processes, each with its part of every batch, against one that sees all."""

import pytest
import torch

from qat.core.grid import IntGrid
from qat.core.scheme import Method
from qat.observers.histogram import EXACT_LIMIT
from qat.observers.registry import OBSERVERS, make_observer
from tests.ranks import on_ranks

pytestmark = pytest.mark.slow  # processes that import torch anew

SLICES = 3
NAMES = sorted(OBSERVERS)
SUMS = ("mean_abs", "std", "aciq_gauss", "aciq_laplace")
GRID = IntGrid(8, signed=True)


def cases():
    """Batches ``(slices, elements)``: kept as values, counted from the start, and one that grows.

    The last batch leaves the second rank with nothing.
    """
    generator = torch.Generator().manual_seed(3)
    many = [torch.randn(SLICES, EXACT_LIMIT + 5, generator=generator) * s for s in (1, 0.2, 9)]
    few = torch.randn(SLICES, 101, generator=generator) - 0.3
    one = torch.full((SLICES, 1), 40.0)
    return {"few": [few], "grown": [few, few * 7, one], "many": [*many, one]}


def ranges(batches, names=NAMES):
    """Both ends, by observer, case and symmetry."""
    found = {}
    for name in names:
        for case, values in batches.items():
            observer = make_observer(Method(name), SLICES)
            for x in values:
                observer.observe(x)
            for symmetric in (True, False):
                pair = observer.range(GRID, symmetric=symmetric)
                found[f"{name}/{case}/{symmetric}"] = torch.stack(pair)
    return found


def rank_ranges(rank, ranks):
    return ranges({case: [x[:, rank::ranks] for x in xs] for case, xs in cases().items()})


def refusals(rank, ranks):
    """Which observers refused a NaN that only the second rank has."""
    refused = {}
    for name in NAMES:
        x = torch.ones(SLICES, 4)
        x[0, 0] = torch.nan if rank == 1 else 1.0
        try:
            make_observer(Method(name), SLICES).observe(x)
            refused[name] = False
        except ValueError as error:
            refused[name] = "NaN" in str(error)
    return refused


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return on_ranks(rank_ranges, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("name", NAMES)
def test_ranges_are_those_of_one_process(both, name):
    one = ranges(cases(), [name])
    for key, value in one.items():
        for found in both:
            if name in SUMS:  # in another order
                torch.testing.assert_close(found[key], value, rtol=1e-6, atol=0)
            else:
                assert torch.equal(found[key], value), key


def test_a_nan_on_one_rank_is_refused_by_all(tmp_path):
    assert on_ranks(refusals, tmp_path) == [dict.fromkeys(NAMES, True)] * 2
