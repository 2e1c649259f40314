"""Rounding to nearest changes no output."""

import pytest
import torch

from qat.layers.walk import twins
from qat.ptq.nearest import Nearest
from tests.ptq.networks import IMAGES, Residual, quantized, seeded, work_of


@pytest.mark.parametrize("placement", ["academic", "integer"])
@torch.no_grad()
def test_outputs_stay_bit_for_bit_and_weights_are_on_the_grid(placement):
    qnet = quantized(seeded(Residual), placement=placement)
    before = qnet(IMAGES)
    Nearest().change(work_of(qnet))
    assert torch.equal(qnet(IMAGES), before)
    for _, twin in twins(qnet):
        assert twin.weight_quantizer.frozen
        assert torch.equal(twin.weight, twin.weight_quantizer(twin.weight))
