"""The state of optimizers, against what torch's own optimizers keep."""

import pytest
import torch

from qat.memory.optimizers import OPTIMIZER_STATES

TORCHS = {
    "sgd": torch.optim.SGD,
    "sgd_momentum": lambda parameters: torch.optim.SGD(parameters, momentum=0.9),
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


def test_each_optimizer_of_the_table_is_tested():
    assert OPTIMIZER_STATES.keys() == TORCHS.keys()


@pytest.mark.parametrize("name", TORCHS)
def test_the_state_is_what_torch_keeps_after_a_step(name):
    parameters = [torch.nn.Parameter(torch.ones(3, 5)), torch.nn.Parameter(torch.ones(7))]
    optimizer = TORCHS[name](parameters)
    sum(p.square().sum() for p in parameters).backward()
    optimizer.step()
    state = [t for values in optimizer.state.values() for t in values.values()]
    kept = sum(t.nbytes for t in state if isinstance(t, torch.Tensor))
    copies, counter = OPTIMIZER_STATES[name]
    assert kept == copies * (15 + 7) * 4 + counter * 2
