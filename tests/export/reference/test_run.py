"""Whole networks in integers alone."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.export.reference.run import logits, stepwise
from tests.export.integer_networks import (
    Counted,
    Residual,
    calibrated,
    images,
    read_program,
    scheme,
)


@pytest.mark.parametrize(("weight_bits", "act_bits"), [(8, 8), (4, 4), (3, 7)])
@pytest.mark.parametrize("symmetric", [True, False])
def test_it_computes_what_the_simulation_does(weight_bits, act_bits, symmetric):
    qnet = calibrated(Residual(), scheme(weight_bits, act_bits, symmetric=symmetric))
    program = read_program(qnet, images())
    with torch.no_grad():
        simulated = qnet(images()).numpy()
    steps = np.abs(logits(program, images().numpy()) - simulated) / program.formats["head"].scale
    assert steps.max() <= 1.001


def test_every_stored_tensor_is_there_in_its_bounds():
    program = read_program(calibrated(Residual(), scheme(8, 3)), images())
    codes = {step.output: made for step, _, made in stepwise(program, images().numpy())}
    assert codes.keys() == {step.output for step in program.steps}
    for step in program.steps:
        found = codes[step.output]
        assert found.dtype == np.int64
        assert step.low <= found.min() <= found.max() <= step.high


def test_an_average_that_keeps_its_size_rounds_the_image_again():
    """Its step takes codes of the image, not the image."""
    net = nn.Sequential(nn.AdaptiveAvgPool2d(8), nn.Conv2d(3, 4, 1))
    qnet = calibrated(net, scheme(8, 7, symmetric=False))
    program = read_program(qnet, images())
    assert [step.kind for step in program.steps] == ["quantize", "quantize", "conv"]
    with torch.no_grad():
        simulated = qnet(images()).numpy()
    steps = np.abs(logits(program, images().numpy()) - simulated) / program.formats["1"].scale
    assert steps.max() <= 1.001


def test_a_whole_network_by_hand():
    """Weights 0.5 and -1, biases 0.1 and -0.2, ReLU, the mean of one pixel, a linear layer."""
    x = torch.tensor([[[[1.0]]], [[[-1.0]]]])
    program = read_program(calibrated(Counted(), x=x), x)
    found = logits(program, x.numpy())
    # relu(0.6, -1.2) = (0.6, 0) and relu(-0.4, 0.8) = (0, 0.8), times [[1, 0.25], [-0.5, 0.75]]
    assert found == pytest.approx(np.array([[0.6, -0.3], [0.2, 0.6]]), abs=0.015)
