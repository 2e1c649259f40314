"""Reductions of one process are the values themselves; those of two, by hand."""

import pytest
import torch

from qat.core.processes import (
    alone,
    joined,
    minimum,
    number_in_all,
    rank,
    total,
    world_size,
)
from tests.ranks import on_ranks


def test_one_process_gets_its_own_values_back():
    x = torch.tensor([[3.0, -1.0]])
    assert (world_size(), rank()) == (1, 0)
    for reduce in (minimum, total, joined):
        assert torch.equal(reduce(x), x)
    assert number_in_all(3, torch.device("meta")) == 3  # copies nothing


def test_a_block_alone_ends_after_an_error(monkeypatch):
    """As if two processes trained together."""
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    assert (world_size(), rank()) == (2, 1)
    with pytest.raises(KeyError, match="inside"), alone():  # noqa: PT012
        assert (world_size(), rank()) == (1, 0)
        raise KeyError("inside")
    assert (world_size(), rank()) == (2, 1)


def reductions(rank, ranks):
    """Rank 0 has columns 1 and -2, rank 1 the column 5."""
    x = torch.tensor([[5.0]]) if rank else torch.tensor([[1.0, -2.0]])
    return {
        "minimum": minimum(x[0, :1]).tolist(),
        "total": total(x[0, :1]).tolist(),
        "joined": joined(x).tolist(),
        "number": number_in_all(x.shape[1], x.device),
    }


@pytest.mark.slow  # processes that import torch anew
def test_two_processes_get_the_same_by_hand(tmp_path):
    by_hand = {"minimum": [1.0], "total": [6.0], "joined": [[1.0, -2.0, 5.0]], "number": 3}
    assert on_ranks(reductions, tmp_path) == [by_hand, by_hand]
