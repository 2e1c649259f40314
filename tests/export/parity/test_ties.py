"""The effect of flipped codes on a small network."""

import numpy as np
import pytest
import torch

from qat.export.parity import ties
from qat.export.parity.pieces import pieces
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


def test_pieces_draw_the_same_numbers_as_a_whole_array(simulation, monkeypatch):
    """By the formula for a whole tensor: first which codes move, then all directions."""
    qnet, program, stored = simulation
    share, form = 0.3, program.formats["conv"]
    bounds = {step.output: (step.low, step.high) for step in program.steps}
    flips = ties._Flips(qnet, program, stored, {"conv": share})
    values = np.random.default_rng(5).normal(0, 20 * form.scale, 1000).astype(np.float32)
    random = np.random.default_rng(0)
    codes = form.encode(values)
    hit = random.random(codes.shape) < share
    moved = codes + hit * random.choice((-1, 1), codes.shape)
    expected = form.decode(np.clip(moved, *bounds["conv"]).astype(np.int32))
    monkeypatch.setattr(ties, "pieces", lambda count: pieces(count, 7))
    assert np.array_equal(flips._flipped(values, "conv", share), expected)
    assert flips.random.random() == random.random()
