"""The list of optimizers, against torch's own classes."""

import inspect

import pytest
import torch

from qat.core.optimizers import OPTIMIZERS


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_torch_takes_the_settings_and_keeps_the_state(name):
    kind = OPTIMIZERS[name]
    torch_class = getattr(torch.optim, kind.torch_name)
    assert set(kind.settings) <= set(inspect.signature(torch_class).parameters)
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch_class([parameter], lr=0.1)
    parameter.sum().backward()
    optimizer.step()
    state = [value for value in optimizer.state[parameter].values() if value is not None]
    assert sum(value.shape == parameter.shape for value in state) == kind.copies
    assert sum(value.nbytes for value in state if value.ndim == 0) == kind.counter_bytes


def test_every_setting_belongs_to_its_own_optimizers():
    readers = {
        setting: [name for name, kind in OPTIMIZERS.items() if setting in kind.settings]
        for setting in ("momentum", "nesterov", "betas")
    }
    assert readers == {"momentum": ["sgd"], "nesterov": ["sgd"], "betas": ["adam", "adamw"]}
