"""Batches of kept activations."""

import pytest
import torch

from qat.ptq.rows import Rows
from tests.ptq.networks import Residual, quantized, seeded, work_of

X = torch.randn(300, 3, 4, 5, generator=torch.Generator().manual_seed(0))
CHOSEN = torch.tensor([299, 0, 130])


@pytest.fixture(scope="module")
def qnet():
    return quantized(seeded(Residual))


@pytest.mark.parametrize("budget_bytes", [2**30, 8])
def test_rows_are_those_of_the_tensor_and_channels_last(qnet, budget_bytes):
    rows = Rows(X, work_of(qnet, budget_bytes=budget_bytes)).chosen(CHOSEN)
    assert torch.equal(rows, X[CHOSEN])
    assert rows.is_contiguous(memory_format=torch.channels_last)


def test_a_function_is_applied_once_to_all(qnet):
    calls = []

    def function(x):
        calls.append(len(x))
        return x.flatten(1).relu()

    rows = Rows(X, work_of(qnet), function)
    assert torch.equal(rows.chosen(CHOSEN), X[CHOSEN].flatten(1).relu())
    assert sum(calls) == 300
