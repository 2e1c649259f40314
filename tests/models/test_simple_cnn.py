"""The small network: adapted to the images, by counts."""

import pytest
import torch
from torch import nn

from qat.models.simple_cnn import SimpleCNN


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (8, 3), (224, 3)])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_simple_cnn_adapts_to_the_images(size, channels, batch_norm):
    net = SimpleCNN(7, channels, size, batch_norm=batch_norm)
    assert net(torch.zeros(2, channels, size, size)).shape == (2, 7)
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [32, 64, 128]
    assert all((conv.bias is None) == batch_norm for conv in convs)
    linears = [m for m in net.modules() if isinstance(m, nn.Linear)]
    side = size // 8
    assert [(m.in_features, m.out_features) for m in linears] == [(128 * side**2, 512), (512, 7)]
    assert any(isinstance(m, nn.BatchNorm2d) for m in net.modules()) == batch_norm


def test_simple_cnn_refuses_images_it_pools_away():
    with pytest.raises(ValueError, match="8 pixels or more, got 7"):
        SimpleCNN(classes=10, in_channels=3, image_size=7)


@pytest.mark.parametrize("value", ["no", 1, None])
def test_batch_norm_is_a_boolean(value):
    with pytest.raises(ValueError, match="batch_norm of simple_cnn must be true or false, got"):
        SimpleCNN(classes=10, in_channels=3, image_size=8, batch_norm=value)
