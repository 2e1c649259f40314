import numpy as np
import pytest
import torch
from torch import nn

from qat.base.errors import InputError
from qat.ptq.input_moments import moments, patches, second_moment
from qat.ptq.weight_grid import matrices

LAYERS = [
    pytest.param(nn.Linear(4, 3), (5, 4), id="linear"),
    pytest.param(nn.Linear(4, 3), (2, 6, 4), id="linear of tokens"),
    pytest.param(nn.Conv2d(4, 6, 3, padding=1), (2, 4, 5, 6), id="conv"),
    pytest.param(nn.Conv2d(4, 8, (3, 2), groups=2, stride=2), (2, 4, 7, 6), id="grouped"),
    pytest.param(nn.Conv2d(4, 4, 3, groups=4, padding="same"), (2, 4, 5, 5), id="depthwise"),
    pytest.param(
        nn.Conv2d(2, 3, 3, dilation=2, padding=2, padding_mode="reflect"),
        (2, 2, 6, 6),
        id="reflect",
    ),
    pytest.param(nn.Conv1d(4, 6, 3, groups=2, padding=1, stride=2), (2, 4, 9), id="conv1d"),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS)
def test_patches_times_weight_are_the_outputs(layer, shape):
    torch.manual_seed(0)
    x = torch.randn(shape)
    groups = getattr(layer, "groups", 1)
    product = patches(layer, x).double() @ matrices(layer.weight, groups).mT
    outputs = layer(x).detach() - layer.bias.detach().reshape(-1, *[1] * (layer.weight.ndim - 2))
    channels_last = outputs if isinstance(layer, nn.Linear) else outputs.movedim(1, -1)
    rows = channels_last.reshape(product.shape[1], groups, -1).movedim(1, 0)
    torch.testing.assert_close(product.float(), rows, rtol=1e-4, atol=1e-5)


def test_moments_are_means_over_all_batches():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 10, 3)).astype(np.float32)
    pairs = [(torch.from_numpy(x[s]), torch.from_numpy(y[s])) for s in (slice(7), slice(7, 10))]
    own, cross = moments(nn.Linear(3, 1), pairs)
    np.testing.assert_allclose(own[0], x.T @ x / 10, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(cross[0], x.T @ y / 10, rtol=1e-5, atol=1e-6)


def test_the_second_moment_needs_one_network():
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(second_moment(nn.Linear(3, 1), [x]), moments(nn.Linear(3, 1), [(x, x)])[1])


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_inputs_that_are_not_finite_are_refused(value):
    with pytest.raises(InputError, match="NaN or infinity"):
        second_moment(nn.Linear(2, 1), [torch.tensor([[1.0, value]])])
