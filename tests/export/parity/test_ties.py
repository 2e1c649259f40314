"""The effect of flipped codes on a small network."""

import pytest
import torch

from qat.export.parity.ties import tie_sensitivity
from qat.export.read import read_with_names
from tests.export.integer_networks import Residual, calibrated, images


@pytest.fixture
def simulation():
    """A quantized network with its program and the names of its stored tensors."""
    torch.manual_seed(0)
    qnet = calibrated(Residual(), x=images(16))
    return qnet, *read_with_names(qnet, images())


def test_flipped_ties_change_logits_by_few_steps(simulation):
    """A tenth of the codes of one tensor, one step up or down; of none, nothing."""
    batch = images(12)
    names = set(simulation[2].values())
    assert tie_sensitivity(*simulation, dict.fromkeys(names, 0.0), batch).max_steps == 0
    some = tie_sensitivity(*simulation, {"conv": 0.1}, batch)
    assert some.images == 12
    assert 0 < some.max_steps <= 3
    assert tie_sensitivity(*simulation, {"conv": 0.1}, batch) == some
