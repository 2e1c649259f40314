"""A step over accumulated batches is the step over one batch of all their images."""

import numpy as np
import pytest
import torch
from torch import nn

from qat.training.classifier import FloatClassifier
from qat.training.fit import fit
from qat.training.specs import FitSpec, OptimizerSpec
from qat.training.window import Window

LR = 0.3


def batches_of(sizes):
    images = torch.randn(sum(sizes), 1, 2, 2, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(sum(sizes)) % 3
    return list(zip(images.split(sizes), labels.split(sizes), strict=True))


def by_hand(net, windows):
    """Gradient descent on softmax regression in numpy, a step for each list of batches."""
    weight, bias = (p.detach().double().numpy().copy() for p in net[1].parameters())
    for window in windows:
        x = np.concatenate([images.flatten(1).double().numpy() for images, _ in window])
        y = np.concatenate([labels.numpy() for _, labels in window])
        scores = x @ weight.T + bias
        chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        error = (chances - np.eye(3)[y]) / len(y)
        weight, bias = weight - LR * error.T @ x, bias - LR * error.sum(axis=0)
    return weight, bias


def test_factors_by_hand():
    parameter = nn.Parameter(torch.zeros(1))
    window = Window()
    assert [window.add(images) for images in (4, 2, 1)] == [1.0, 0.5, 0.25]
    parameter.grad = torch.tensor([7.0])
    window.close(4, [parameter])
    assert parameter.grad.item() == 16.0  # 7 * 4 / (1 + 0.5 + 0.25)
    window.add(8)
    window.clear()
    assert window.add(3) == 1.0


@pytest.mark.parametrize(
    ("sizes", "accumulate"),
    [
        pytest.param([4, 4, 4], 2, id="a short window at the end"),
        pytest.param([5, 2, 4, 1], 2, id="unequal batches"),
        pytest.param([4, 4, 4, 3], 4, id="a smaller last batch"),
        pytest.param([4, 3], 1, id="no accumulation"),
    ],
)
def test_a_step_is_that_of_one_large_batch(tmp_path, sizes, accumulate):
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    batches = batches_of(sizes)
    windows = [batches[i : i + accumulate] for i in range(0, len(batches), accumulate)]
    weight, bias = by_hand(net, windows)
    module = FloatClassifier(net, OptimizerSpec("sgd", lr=LR))
    spec = FitSpec(accelerator="cpu", keep="last", accumulate_grad_batches=accumulate)
    fit(module, lambda epoch: batches, None, spec, tmp_path)
    np.testing.assert_allclose(net[1].weight.detach().numpy(), weight, atol=1e-6)
    np.testing.assert_allclose(net[1].bias.detach().numpy(), bias, atol=1e-6)
